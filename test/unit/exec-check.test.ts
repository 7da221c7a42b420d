import { describe, expect, test } from 'vitest';
import {
  type Deed,
  type Ending,
  type Evidence,
  findFacts,
  findViolations,
  type Line,
  type Row,
} from '../support/exec-check.ts';

/** Writes for a contender with its token, at so many milliseconds. */
const writer =
  (by: string, token: number, id = 'key') =>
  (what: Line['what'], at: number, code?: number): Line => ({
    what,
    id,
    token,
    at: at * 1_000,
    pid: token,
    by,
    code,
  });

const ending = (by: string, code: number | string, more: Partial<Ending> = {}): Ending => ({
  by,
  id: 'key',
  ...(typeof code === 'number' ? { code, signal: null } : { code: null, signal: code }),
  took: 1_000,
  wait: 60_000,
  done: [],
  isThrough: false,
  ...more,
});

const [a, b, c] = [writer('a', 1), writer('b', 3), writer('c', 4)];
/** a is killed and its command goes on until it is stopped; b is too late; c does the work. */
const lines = [
  a('begin', 0),
  a('tick', 50),
  b('begin', 2_000),
  b('tick', 2_050),
  b('end', 3_000, 0),
  c('begin', 4_000),
  c('end', 5_000, 0),
  c('tick', 5_010),
];
const done: readonly Deed[] = ['killed'];
const endings = [
  ending('a', 'SIGKILL', { done }),
  ending('b', 14),
  ending('c', 0),
  ending('d', 7),
  ending('e', 10, { took: 3_010, wait: 3_000 }),
  ending('f', 11, { wait: 0 }),
  ending('g', 75),
  ending('h', 'SIGTERM', { done: ['dismissed'] }),
];
const row: Row = { id: 'key', way: 'complete', token: 4 };
const sound: Evidence = { lines, endings, rows: [row], leftovers: [] };

const violationsWith = (change: Partial<Evidence>) => findViolations({ ...sound, ...change });

describe('what is told of a key', () => {
  test('is believed when each had it alone', () => {
    expect(findViolations(sound)).toEqual([]);
  });

  test('is believed of another key, whatever its tokens', () => {
    const other = writer('d', 1, 'other');
    expect(
      violationsWith({
        lines: [...lines, other('begin', 6_000), other('end', 6_100, 0)],
        endings: endings.map((it) => (it.by === 'd' ? ending('d', 0, { id: 'other' }) : it)),
        rows: [row, { id: 'other', way: 'complete', token: 1 }],
      }),
    ).toEqual([]);
  });

  test.each<[string, Line[]]>([
    [
      'a with 1 on key wrote "tick" 1 ms after b with 3 on key had begun',
      lines.toSpliced(3, 0, a('tick', 2_001)),
    ],
    // What was late by the clock alone, or in the journal alone.
    [
      'a with 1 on key wrote "tick" 10 ms after b with 3 on key had begun',
      lines.toSpliced(2, 0, a('tick', 2_010)),
    ],
    [
      'a with 1 on key wrote "tick" -10 ms after b with 3 on key had begun',
      lines.toSpliced(3, 0, a('tick', 1_990)),
    ],
    [
      'b with 3 on key wrote "end" 1600 ms after c with 4 on key had begun',
      [c('begin', 500), c('end', 600, 0), b('begin', 2_000), b('end', 2_100, 0)],
    ],
    ['c with 4 on key began again with a token in use', [...lines, c('begin', 6_000)]],
    ['d with 4 on key wrote with the token of c', [...lines, writer('d', 4)('tick', 6_000)]],
    ['b with 3 on key begins with "tick"', lines.toSpliced(2, 1)],
    ['c ran its command 2 times', [...lines, writer('c', 5)('begin', 6_000)]],
  ])('is contradicted: %s', (problem, changed) => {
    expect(violationsWith({ lines: changed })).toContain(problem);
  });

  test('is contradicted by what was left behind', () => {
    expect(violationsWith({ leftovers: ['7 bash'] })).toEqual(['was left behind: 7 bash']);
  });

  test('is contradicted by two who did the work', () => {
    const twice = endings.map((it) => (it.by === 'b' ? ending('b', 0) : it));
    expect(violationsWith({ endings: twice })).toContain('key was completed 2 times');
  });
});

/** What is wrong with one that ended so, after it wrote this. */
function problemsOf(
  end: Ending,
  own: readonly Line[],
  stored: Partial<Row> = {},
  retryable?: number,
): string[] {
  const rows = [{ ...row, ...stored }];
  return findViolations({ lines: own, endings: [end], rows, leftovers: [], retryable });
}

describe('an exit code', () => {
  const begun = [c('begin', 0)];
  const ended = (code: number) => [...begun, c('end', 1_000, code)];
  const by = (deed: Deed) => ({ done: [deed] });

  test.each<[string, Ending, Line[], Partial<Row>]>([
    ['of a command that failed', ending('c', 3), ended(3), { way: 'fail' }],
    ['of a lease that was lost', ending('c', 14), ended(0), { way: null }],
    ['of a lease that somebody else has', ending('c', 14), begun, { way: 'complete', token: 5 }],
    ['of an end that may be recorded', ending('c', 75), ended(0), {}],
    ['of a killed command', ending('c', 137, by('bereaved')), begun, { way: 'fail' }],
    ['of one sent away', ending('c', 143, by('dismissed')), begun, { way: 'cancel' }],
    ['of one sent away, for others', ending('c', 143, by('dismissed')), begun, { way: null }],
    ['of a stubborn one sent away', ending('c', 137, by('dismissed')), begun, { way: 'cancel' }],
    ['of one sent away as it failed', ending('c', 3, by('dismissed')), ended(3), { way: 'cancel' }],
    [
      'of one sent away as it ended',
      ending('c', 'SIGTERM', { ...by('dismissed'), isThrough: true }),
      ended(0),
      {},
    ],
    ['of one that found no job', ending('c', 12, { id: undefined, wait: 0 }), [], {}],
  ])('is believed: %s', (_, end, own, stored) => {
    expect(problemsOf(end, own, stored)).toEqual([]);
  });

  test.each<[string, Ending, Line[], Partial<Row>]>([
    ['ended with 0, though its command did not', ending('c', 0), begun, {}],
    ['ended with 0, though its command did not', ending('c', 0), ended(3), {}],
    ['with 0, but key is fail, and its token 4', ending('c', 0), ended(0), { way: 'fail' }],
    ['with 0, but key is complete, and its token 5', ending('c', 0), ended(0), { token: 5 }],
    ['with 3, but key is not finished', ending('c', 3), ended(3), { way: null }],
    ['with 2, which says nothing that happened', ending('c', 2), ended(0), {}],
    ['with 76, which says nothing that happened', ending('c', 76), [], {}],
    ['with 7, though it had the lease', ending('c', 7), begun, {}],
    ['with 7, though nothing is finished', ending('c', 7), [], { way: null }],
    ['with 10, though it had the lease', ending('c', 10, { took: 70_000 }), begun, {}],
    ['with 10, after 1000 of 60000 ms', ending('c', 10), [], {}],
    ['with 10, though it was not to wait', ending('c', 10, { wait: 0 }), [], {}],
    ['with 11, though it was to wait', ending('c', 11), [], {}],
    ['with 12, though it had the lease', ending('c', 12, { wait: 0 }), begun, {}],
    ['with 14, and yet it is completed with this token', ending('c', 14), ended(0), {}],
    ['with 75, though its command was stopped', ending('c', 75), begun, { way: null }],
    ['with 137, which says nothing that happened', ending('c', 137), begun, { way: 'fail' }],
    ['with 143, which says nothing that happened', ending('c', 143), begun, { way: 'cancel' }],
    ['with SIGKILL, which nobody sent', ending('c', 'SIGKILL'), begun, {}],
    [
      'with SIGTERM, which nobody sent, or which it was not to die of',
      ending('c', 'SIGTERM', by('dismissed')),
      begun,
      {},
    ],
    ['with 143, but key is complete', ending('c', 143, by('dismissed')), ended(0), {}],
  ])('is contradicted: %s', (problem, end, own, stored) => {
    expect(problemsOf(end, own, stored)).toEqual([expect.stringContaining(problem)]);
  });

  test('for a job to be tried again leaves it to others', () => {
    const [end, own] = [ending('c', 75), ended(75)];
    expect(problemsOf(end, own, { way: null }, 75)).toEqual([]);
    expect(problemsOf(end, own, { way: 'complete', token: 9 }, 75)).toEqual([]);
    const finished = 'c with 4 on key ended with 75, but key is fail, and its token 4';
    expect(problemsOf(end, own, { way: 'fail' }, 75)).toEqual([finished]);
  });
});

test('what happened is counted', () => {
  const other = writer('d', 1, 'other');
  expect(
    findFacts({ lines: [...lines, other('begin', 0), other('tick', 2_001)], endings }, 2_000),
  ).toEqual({
    sections: 4,
    handovers: 2,
    renewed: 1,
    codes: { 0: 1, 7: 1, 10: 1, 11: 1, 14: 1, 75: 1, SIGKILL: 1, SIGTERM: 1 },
  });
});
