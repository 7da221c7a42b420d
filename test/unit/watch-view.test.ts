import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { arranged } from '../../src/watch/order.ts';
import { BEGIN as FIRST, following, type Session } from '../../src/watch/session.ts';
import { bar, pageOf, type Size, view } from '../../src/watch/view.ts';
import {
  BEGIN,
  BEHIND,
  createWatched,
  happened,
  PLACE,
  seen,
  textOf,
  texts,
} from '../support/watching.ts';

function world() {
  const watched = createWatched();
  const { tell, confirmed } = watched;
  const origin = { user: 'ci', host: 'build-7', pid: 4711 };
  tell(
    0,
    seen('deploy-prod', { ttl: 600_000, endsAt: BEGIN + 600_000, holder: undefined, origin }),
    seen('nightly/backup', { ttl: 30_000, endsAt: BEGIN + 30_000 }),
    seen('db-migrate', { endsAt: BEGIN + 20_000, ttl: 20_000 }),
    seen('worker', { ttl: 90_000, endsAt: BEGIN + 90_000 }),
    seen('report', {}),
  );
  for (const version of [2, 3]) {
    const at = BEGIN + 250 * version;
    tell(at - BEGIN, happened('worker', 'extended', { version, at, ttl: 90_000 }));
  }
  tell(900, happened('report', 'completed', { at: BEGIN + 900 }));
  confirmed(25_000);
  return watched;
}

function shown(size: Size, choice: Partial<Session> = {}, after = 25_000, { model } = world()) {
  const base = { ...FIRST, ...choice };
  const rows = arranged(model, base.sort, base.filter);
  const session = following(base, rows, pageOf(size));
  const scene = { model, rows, session, title: 'All leases of prod', now: BEGIN - BEHIND + after };
  return { lines: view(scene, size, texts()), model };
}

describe('the table', () => {
  test('in 80 columns', () => {
    expect(textOf(shown({ columns: 80, rows: 11 }).lines)).toMatchInlineSnapshot(`
      [
        "All leases of prod",
        "1 ended  1 ending  1 late  1 held  1 finished                       by attention",
        "  LEASE                        LEFT STATE     AGE     RENEWED HOLDER     HOST",
        "> db-migrate     ░░░░░░░░░░         expired   25s             ci",
        "  nightly/backup ██░░░░░░░░      5s ending    25s             ci",
        "  worker         ███████░░░   1m 6s late      25s     24s     ci",
        "  deploy-prod    ██████████  9m 35s held      25s             ci         build-7",
        "  report                            done      25s             ci",
        "",
        "",
        "enter inspect  e extend  b break  s sort  / filter  ? help  q quit",
      ]
    `);
  });

  test('in 140 columns', () => {
    expect(textOf(shown({ columns: 140, rows: 10 }).lines)).toMatchInlineSnapshot(`
      [
        "All leases of prod",
        "1 ended  1 ending  1 late  1 held  1 finished                                                                                   by attention",
        "  LEASE                                      LEFT STATE     AGE     RENEWED HOLDER     HOST",
        "> db-migrate     ░░░░░░░░░░░░░░░░░░░░░░░░         expired   25s             ci",
        "  nightly/backup ████░░░░░░░░░░░░░░░░░░░░      5s ending    25s             ci",
        "  worker         ██████████████████░░░░░░   1m 6s late      25s     24s     ci",
        "  deploy-prod    ███████████████████████░  9m 35s held      25s             ci         build-7",
        "  report                                          done      25s             ci",
        "",
        "enter inspect  e extend  b break  s sort  / filter  ? help  q quit",
      ]
    `);
  });

  test('in 40 columns', () => {
    expect(textOf(shown({ columns: 40, rows: 10 }).lines)).toMatchInlineSnapshot(`
      [
        "All leases of prod",
        "1 ended  1 en…d  1 finished by attention",
        "  LEASE                   LEFT STATE",
        "> db-migrate    ░░░░░░         expired",
        "  nightl…backup █░░░░░      5s ending",
        "  worker        ████░░   1m 6s late",
        "  deploy-prod   ██████  9m 35s held",
        "  report                       done",
        "",
        "enter inspect  e ext…ter  ? help  q quit",
      ]
    `);
  });

  test('each state has its color', () => {
    const { lines } = shown({ columns: 80, rows: 11 });
    const toneOf = (id: string) => {
      const line = lines.find((pieces) => pieces.some(({ text }) => text.trim() === id));
      return line?.find(({ text }) => text.includes('█') || text.includes('░'))?.tone;
    };
    expect(['db-migrate', 'nightly/backup', 'worker', 'deploy-prod'].map(toneOf)).toEqual([
      ...['red', 'red', 'yellow', 'green'],
    ]);
  });

  test.each([40, 41, 57, 63, 79, 80, 97, 120, 199, 300])('no line is wider than %i', (columns) => {
    const watched = world();
    watched.tell(
      25_000,
      seen('x'.repeat(10_000), { holder: 'y'.repeat(10_000), at: BEGIN + 25_000 }),
      seen('日本語のキー'.repeat(20), { at: BEGIN + 25_000 }),
      seen('👩‍👩‍👧 family', { at: BEGIN + 25_000, origin: { host: '🏠'.repeat(50) } }),
      seen('a\u001b[2Jb\u202ec\nd', { at: BEGIN + 25_000, holder: '\u0007\r' }),
    );
    const { lines } = shown({ columns, rows: 14 }, {}, 25_000, watched);
    expect(lines).toHaveLength(14);
    for (const line of lines) {
      const text = line.map((piece) => piece.text).join('');
      expect(stringWidth(text)).toBeLessThanOrEqual(columns);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be in it
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      for (const piece of line) expect(stringWidth(piece.text)).toBe(piece.columns);
    }
  });

  test('has a column for the profile where there are several places', () => {
    const watched = world();
    watched.tell(25_000, seen('k', { at: BEGIN + 25_000 }, { ...PLACE, profile: 'staging' }));
    const [, , head, ...rows] = textOf(
      shown({ columns: 120, rows: 14 }, {}, 25_000, watched).lines,
    );
    expect(head).toMatch(/ PROFILE$/);
    expect(rows.find((row) => row.includes(' k '))).toMatch(/ staging$/);
  });
});

describe('the rest of the screen', () => {
  test('there is nothing', () => {
    const { lines } = shown({ columns: 60, rows: 6 }, {}, 0, createWatched());
    expect(textOf(lines)).toEqual([
      'All leases of prod',
      expect.stringMatching(/^ +by attention$/),
      '',
      '  There are no leases.',
      '',
      expect.stringMatching(/^enter inspect/),
    ]);
  });

  test('a filter that nothing has', () => {
    const [, , , said] = textOf(shown({ columns: 60, rows: 6 }, { filter: 'zzz' }).lines);
    expect(said).toBe('  Nothing has zzz in it.');
  });

  test('a place that does not answer', () => {
    const watched = world();
    watched.tell(25_000, { type: 'contact', place: PLACE, problem: 'no route to it' });
    const [, said] = textOf(shown({ columns: 60, rows: 6 }, {}, 25_000, watched).lines);
    expect(said).toBe('No contact with prod: no route to it');
  });

  test('a text, from where it was scrolled to', () => {
    const pane = { title: 'deploy-prod', lines: ['one', 'two', 'three', 'four'] };
    const { lines } = shown({ columns: 60, rows: 4 }, { pane, paneTop: 1 });
    expect(textOf(lines)).toEqual(['deploy-prod', 'two', 'three', 'q back   j k scroll']);
  });

  test('what is said takes as many lines as it needs', () => {
    const message = `The lease on deploy-prod is not stuck: ${'ci@build-7 renewed it. '.repeat(3)}`;
    const lines = textOf(shown({ columns: 40, rows: 9 }, { message }).lines);
    expect(lines).toHaveLength(9);
    expect(lines.slice(-3).join(' ').trim()).toBe(message.trim());
    expect(lines[2]).toMatch(/LEASE/);
    expect(textOf(shown({ columns: 40, rows: 2 }, { message }).lines)).toHaveLength(2);
  });

  test.each([1, 2, 3])('on %i lines there is still the last one', (rows) => {
    const lines = textOf(shown({ columns: 60, rows }).lines);
    expect(lines).toHaveLength(rows);
    expect(lines.at(-1)).toMatch(/^enter inspect/);
  });
});

test('a bar runs down, and what is left is seen to the end', () => {
  expect([1, 0.5, 0.01, 0].map((part) => bar(part, 4))).toEqual(['████', '██░░', '█░░░', '░░░░']);
  expect(bar(undefined, 4)).toBe('');
});
