import { describe, expect, test } from 'vitest';
import { arranged } from '../../src/watch/order.ts';
import { BEGIN as FIRST, following, press, type Session } from '../../src/watch/session.ts';
import { BEGIN, createWatched, happened, seen } from '../support/watching.ts';

function rowsOf(count: number) {
  const { model, tell } = createWatched();
  const ids = Array.from({ length: count }, (_, number) => `k${String(number).padStart(2, '0')}`);
  tell(0, ...ids.map((id) => seen(id)));
  return arranged(model, 'name', '');
}

/** Presses keys, one after the other. */
function typed(keys: readonly string[], rows = rowsOf(30), page = 10, begin: Session = FIRST) {
  let session = following(begin, rows, page);
  let effect: unknown;
  for (const key of keys)
    ({ session, effect } = { effect: undefined, ...press(session, key, rows, page) });
  const selected = rows.find(({ key }) => key === session.selected)?.id;
  return { session, effect, selected };
}

describe('moving', () => {
  test('selects, and shows what is selected', () => {
    expect(typed([])).toMatchObject({ selected: 'k00', session: { top: 0 } });
    expect(typed(['down', 'j', 'up'])).toMatchObject({ selected: 'k01', session: { top: 0 } });
    expect(typed(Array(10).fill('down'))).toMatchObject({ selected: 'k10', session: { top: 1 } });
    expect(typed(['end'])).toMatchObject({ selected: 'k29', session: { top: 20 } });
    expect(typed(['end', 'page-up'])).toMatchObject({ selected: 'k19', session: { top: 19 } });
    expect(typed(['end', 'home'])).toMatchObject({ selected: 'k00', session: { top: 0 } });
    expect(typed(['up'])).toMatchObject({ selected: 'k00' });
    expect(typed(['end', 'down'])).toMatchObject({ selected: 'k29' });
  });

  test('what is selected stays so when others come and go', () => {
    const rows = rowsOf(30);
    const { session } = typed(Array(12).fill('down'), rows);
    const fewer = rows.slice(11);
    const after = following(session, fewer, 10);
    expect(after).toMatchObject({ selected: rows[12]?.key, top: 1 });
    expect(following(after, fewer.slice(2), 10).selected).toBe(rows[13]?.key);
    expect(following(after, [], 10)).toMatchObject({ selected: undefined, top: 0 });
  });

  test('where there is nothing no key does anything', () => {
    for (const key of ['down', 'end', 'enter', 'e', 'b']) {
      expect(typed([key], [])).toMatchObject({ effect: undefined, selected: undefined });
    }
  });
});

describe('keys', () => {
  test.each([
    ['q', 'quit'],
    ['ctrl-c', 'interrupt'],
    ['ctrl-z', 'suspend'],
    ['ctrl-l', 'redraw'],
  ])('%s: %s', (key, type) => {
    expect(typed([key]).effect).toEqual({ type });
  });

  test.each([
    ['enter', 'inspect'],
    ['i', 'inspect'],
    ['e', 'extend'],
    ['b', 'break'],
  ])('%s: %s what is selected', (key, type) => {
    const rows = rowsOf(3);
    expect(typed(['down', key], rows).effect).toEqual({ type, row: rows[1]?.key });
  });

  test('a filter is typed, taken back, kept and ended', () => {
    expect(typed([...'/db q']).session).toMatchObject({ mode: 'filter', filter: 'db q' });
    expect(typed([...'/db', 'backspace', 'enter']).session).toMatchObject({
      mode: 'list',
      filter: 'd',
    });
    expect(typed([...'/db', 'escape']).session).toMatchObject({ mode: 'list', filter: '' });
    expect(typed([...'/db', 'enter', 'escape']).session.filter).toBe('');
    expect(typed([...'/🐈', 'backspace']).session.filter).toBe('');
    expect(typed([...'/d', 'page-up', 'ctrl-c']).effect).toEqual({ type: 'interrupt' });
    expect(typed([...'/d', 'page-up']).session.filter).toBe('d');
  });

  test('a text is read instead, and left', () => {
    const lines = Array.from({ length: 25 }, (_, line) => `line ${line}`);
    const begin = { ...FIRST, pane: { title: 'k', lines } };
    expect(typed(['end'], undefined, 10, begin).session.paneTop).toBe(15);
    expect(typed(['down', 'down', 'up'], undefined, 10, begin).session.paneTop).toBe(1);
    const left = typed(['end', 'q'], undefined, 10, begin);
    expect(left).toMatchObject({ effect: undefined, session: { pane: undefined, paneTop: 0 } });
    expect(typed(['e'], undefined, 10, begin).effect).toBeUndefined();
    expect(typed(['?']).session.mode).toBe('help');
    expect(typed(['?', 'q']).session.mode).toBe('list');
  });
});

describe('order', () => {
  const { model, tell, confirmed } = createWatched();
  tell(
    0,
    seen('well-b'),
    seen('well-a'),
    seen('done', { origin: { user: 'zoe', host: 'build-7' }, holder: undefined }),
    seen('ending', { endsAt: BEGIN + 8_000 }),
    seen('over-1', { endsAt: BEGIN + 1_000, acquiredAt: BEGIN - 5_000 }),
    seen('over-2', { endsAt: BEGIN + 2_000 }),
    seen('late', { endsAt: BEGIN + 90_000, ttl: 90_000 }),
  );
  for (const version of [2, 3]) {
    const at = BEGIN + 50 * version;
    tell(at - BEGIN, happened('late', 'extended', { version, at, ttl: 90_000 }));
  }
  tell(200, happened('done', 'completed', { at: BEGIN + 200 }));
  confirmed(4_000);
  const names = (...order: Parameters<typeof arranged> extends [unknown, ...infer R] ? R : never) =>
    arranged(model, ...order).map(({ id }) => id);

  test('what needs attention comes first', () => {
    expect(names('attention', '')).toEqual([
      ...['over-2', 'over-1', 'ending', 'late', 'well-a', 'well-b', 'done'],
    ]);
  });

  test('or as one chooses', () => {
    expect(names('name', '')[0]).toBe('done');
    expect(names('left', '').slice(0, 3)).toEqual(['over-1', 'over-2', 'ending']);
    expect(names('age', '')[0]).toBe('over-1');
    expect(names('holder', '').at(-1)).toBe('done');
  });

  test('a filter looks at all that is shown', () => {
    expect(names('name', 'WELL')).toEqual(['well-a', 'well-b']);
    expect(names('name', 'zoe@')).toEqual(['done']);
    expect(names('name', 'late')).toEqual(['late']);
    expect(names('name', 'nothing like it')).toEqual([]);
  });
});
