import { describe, expect, test } from 'vitest';
import { findViolations } from '../support/soak/check.ts';
import type { Change, Entry, Evidence, Grant, Look, Miss, Row } from '../support/soak/journal.ts';

const TTL = 1_000;

/** What is told of the key `k`: each was answered 10 ms after it was sent. */
const told = { kind: 'key', id: 'k', tries: 1 } as const;
const granted = (by: string, token: number, sent: number, more: Partial<Grant> = {}): Grant => ({
  ...told,
  ...{ what: 'acquire', outcome: 'granted', by, token, ttl: TTL, sent, answered: sent + 10 },
  ...more,
});
const changed = (what: Change['what']) => {
  return (by: string, token: number, sent: number, more: Partial<Change> = {}): Change => ({
    ...told,
    ...{ what, outcome: 'done', by, token, sent, answered: sent + 10 },
    ...more,
  });
};
const extended = changed('extend');
const released = changed('release');
const completed = (by: string, token: number, sent: number, more: Partial<Change> = {}) =>
  changed('finish')(by, token, sent, { way: 'complete', ...more });
const looked = (sent: number, version: number, isFinished = false): Look => ({
  ...told,
  ...{ what: 'look', outcome: 'told', by: 'z', sent, answered: sent + 10, version, isFinished },
});
const refused = { outcome: 'refused' } as const;
const unknown = { outcome: 'unknown' } as const;

/** A row that fits: every entry that was answered with success is counted. */
function rowFor(entries: readonly Entry[]): Row {
  const ok = entries.filter(({ outcome }) => outcome === 'granted' || outcome === 'done');
  const grants = ok.filter(({ what }) => what === 'acquire');
  const finish = ok.find((entry): entry is Change => entry.what === 'finish');
  const tokens = entries.flatMap((entry) => ('token' in entry ? [entry.token] : []));
  return {
    ...{ kind: 'key', id: 'k', token: Math.max(...tokens), acquisitions: grants.length },
    ...{ version: ok.length, way: finish?.way ?? null, expiresAt: 1e12 },
  };
}

const problemsOf = (
  entries: readonly Entry[],
  more: Partial<Evidence> & { row?: Partial<Row> } = {},
) =>
  findViolations({
    entries,
    rows: [{ ...rowFor(entries), ...more.row }],
    added: [],
    oddities: [],
    ...more,
  });

const first = granted('a', 1, 0);
const next = granted('b', 2, 1_000);

describe('what the soak is told', () => {
  test.each<[string, Entry[]]>([
    ['the next one comes as the lease ends', [first, granted('b', 2, 989)]],
    [
      'the next one comes in the same millisecond as a release',
      [first, released('a', 1, 100), granted('b', 3, 95)],
    ],
    [
      'an answer comes after the next one has its own',
      [granted('a', 1, 0, { answered: 3_000 }), next],
    ],
    [
      'an extension that is not answered may have been made',
      [first, extended('a', 1, 900, unknown), completed('a', 1, 1_800)],
    ],
    [
      'an end that is not answered may have been made',
      [first, completed('a', 1, 100, unknown), granted('b', 2, 200)],
    ],
    ['who is late is refused', [first, extended('a', 1, 1_100, refused), granted('b', 2, 1_200)]],
    [
      'the first of two answers was lost',
      [granted('a', 1, 0, { tries: 2, answered: 990 }), completed('a', 1, 1_005, refused)],
    ],
    [
      'versions grow with every change',
      [
        first,
        extended('a', 1, 500, { version: 2 }),
        looked(600, 2),
        completed('a', 1, 700, { version: 3 }),
        looked(800, 3, true),
      ],
    ],
    [
      'a look is older than the change it came with',
      [first, extended('a', 1, 500, { version: 2 }), looked(505, 1)],
    ],
  ])('is believed: %s', (_, entries) => {
    expect(problemsOf(entries)).toEqual([]);
  });

  test.each<[string, Entry[]]>([
    ['was held by a with 1 when b with 2 got it, 1 ms early', [first, granted('b', 2, 988)]],
    [
      'was held by a with 1 when b with 3 got it, 889 ms early',
      [first, extended('a', 1, 900), granted('b', 3, 1_000)],
    ],
    [
      'was held by a with 1 when c with 4 got it, 389 ms early',
      [first, granted('b', 2, 500), released('b', 2, 520), granted('c', 4, 600)],
    ],
    ['was granted twice with 1', [first, granted('b', 1, 1_000)]],
    ['was granted with 1 after 2', [granted('b', 2, 0), granted('a', 1, 1_000)]],
    [
      'was refused to its holder a: extend, 489 ms before the end',
      [first, extended('a', 1, 500, refused)],
    ],
    [
      'was refused to its holder a: finish, 889 ms before the end',
      [first, extended('a', 1, 900), completed('a', 1, 1_000, refused)],
    ],
    ['obeyed a: extend, 1 ms after the end', [first, extended('a', 1, 1_012)]],
    [
      'obeyed a: finish, 1 ms after the end',
      [first, extended('a', 1, 500), completed('a', 1, 1_512)],
    ],
    ['obeyed c: finish with 1, which it never got', [first, completed('c', 1, 500)]],
    [
      'obeyed a: extend with 1 when b with 3 had it',
      [first, released('a', 1, 100), granted('b', 3, 150), extended('a', 1, 200)],
    ],
    [
      'was changed 2 times into version 2',
      [first, extended('a', 1, 500, { version: 2 }), completed('a', 1, 600, { version: 2 })],
    ],
    [
      'was told to have version 2 after 3',
      [
        first,
        extended('a', 1, 400, { version: 2 }),
        extended('a', 1, 500, { version: 3 }),
        looked(600, 2),
      ],
    ],
    [
      'was finished 2 times',
      [first, completed('a', 1, 100), granted('b', 2, 1_000), completed('b', 2, 1_100)],
    ],
    ['was granted to b after it was finished', [first, completed('a', 1, 100), next]],
    [
      'was told to z not to be finished, after it was',
      [first, completed('a', 1, 100), looked(200, 3)],
    ],
  ])('is contradicted: %s', (problem, entries) => {
    expect(problemsOf(entries)).toContainEqual(`key k ${problem}`);
  });

  test('is contradicted by answers that no contract has', () => {
    expect(problemsOf([first], { oddities: ['500'] })).toEqual(['was answered: 500']);
  });
});

describe('what is stored', () => {
  const held = [first, extended('a', 1, 500), extended('a', 1, 600, unknown)];

  test.each<[string, Entry[], Partial<Row>]>([
    ['a change that was not answered is there', held, { version: 3 }],
    ['a change that was not answered is not there', held, {}],
    [
      'an end that was not answered is there',
      [first, completed('a', 1, 9, unknown)],
      {
        version: 2,
        way: 'complete',
      },
    ],
    [
      'an acquisition that was asked for twice was made twice',
      [granted('a', 3, 0, { tries: 2 })],
      { version: 2, acquisitions: 2 },
    ],
    ['what was given back ended then', [first, released('a', 1, 100)], { expiresAt: 105 }],
  ])('is believed: %s', (_, entries, row) => {
    expect(problemsOf(entries, { row })).toEqual([]);
  });

  test.each<[string, Entry[], Partial<Row>]>([
    ['lost changes: version has 1 of 2 that were answered', held, { version: 1 }],
    [
      'lost changes: acquisitions has 1 of 2 that were answered',
      [first, next],
      {
        acquisitions: 1,
      },
    ],
    ['has changes that nobody asked for: version has 4, of at most 3', held, { version: 4 }],
    ['fell from 2 to 1', [first, next], { token: 1 }],
    ['ends 1 ms before what its holder was promised', [first], { expiresAt: 998 }],
    [
      'was complete with 1, and is not finished with 1',
      [first, completed('a', 1, 100)],
      {
        way: null,
      },
    ],
    [
      'was complete with 1, and is cancel with 1',
      [first, completed('a', 1, 100)],
      {
        way: 'cancel',
      },
    ],
    [
      'is fail with 1, which nobody asked for',
      [first, completed('a', 1, 100, unknown)],
      {
        way: 'fail',
      },
    ],
  ])('is contradicted: %s', (problem, entries, row) => {
    expect(problemsOf(entries, { row })).toContainEqual(`key k ${problem}`);
  });

  test('is contradicted when it is gone', () => {
    expect(problemsOf([first], { rows: [] })).toEqual(['key k is there 0 times']);
    expect(problemsOf([], { rows: [], added: ['job j'] })).toEqual(['job j is there 0 times']);
  });
});

describe('what the service chose', () => {
  const own = { kind: 'runner_job', id: 'r' } as const;
  const entries = [granted('a', 1, 0, own)];
  const stray: Miss = {
    ...{ ...told, ...own, id: undefined, by: 'b', sent: 0, answered: 500 },
    ...{ what: 'acquire', outcome: 'unknown' },
  };
  const row: Row = { ...rowFor(entries), ...own, token: 2, acquisitions: 2, version: 3 };
  const more = { rows: [row], added: ['runner_job r'] };

  test('may be what was asked for without an answer', () => {
    expect(problemsOf([...entries, stray], more)).toEqual([]);
  });

  test('is not more than what was asked for', () => {
    const rows = [row, { ...row, id: 's', acquisitions: 1, token: 1, version: 2 }];
    const added = [...more.added, 'runner_job s'];
    expect(problemsOf(entries, more)).toContain(
      'runner_job: 1 acquisitions that nobody knows of, of at most 0',
    );
    expect(problemsOf([...entries, stray], { rows, added })).toEqual([
      'runner_job: 2 acquisitions that nobody knows of, of at most 1',
    ]);
  });
});
