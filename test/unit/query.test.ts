import { expect, test } from 'vitest';
import { compileQuery } from '../../src/output/query.ts';

test.each([
  ['a', 1],
  ['{x: a, y: b}', { x: 1, y: 'x' }],
  ['nope', null],
  ["[a, 'z']", [1, 'z']],
])('%s', async (expression, result) => {
  expect((await compileQuery(expression))('{"a": 1, "b": "x"}')).toEqual(result);
});

test.each([
  ['a b c', 'goes wrong at character 3, "b c"'],
  ['a ]', 'goes wrong at character 3, "]"'],
  ['aé.b', 'goes wrong at character 2, "é.b"'],
  ["'🎉'.a b", 'goes wrong at character 7, "b"'],
  ['a.#', 'goes wrong at character 3, "#"'],
  ['a == "x', 'goes wrong at character 6, "\\"x"'],
  ['a.`{`', 'goes wrong at character 3, "`{`"'],
  ['foo(a ])', 'goes wrong at character 7, "])"'],
  ['a[', 'ends too early'],
  ['a.', 'ends too early'],
  ['length(', 'ends too early'],
  ['{a: b', 'ends too early'],
  ['a[? b', 'ends too early'],
  ['(', 'ends too early'],
  ['  ', 'ends too early'],
])('%s has a mistake', async (expression, place) => {
  await expect(compileQuery(expression)).rejects.toMatchObject({
    code: 'usage',
    message: `--query is no JMESPath expression: it ${place}.`,
  });
});

test('the place in a very long one is not searched for', async () => {
  const long = `a${'.b'.repeat(50_000)} c`;
  await expect(compileQuery(long)).rejects.toThrow('it is wrong somewhere.');
});

test.each(['nope(@)', 'a && [b, nope(c)]', 'map(&nope(@), @)'])(
  '%s has a function that there is not',
  async (expression) => {
    await expect(compileQuery(expression)).rejects.toThrow('no function nope()');
  },
);

test('what does not fit the answer is told when that is there', async () => {
  const query = await compileQuery('sum(a)');
  expect(() => query('{"a": "x"}')).toThrow(/^--query does not fit the answer: .*sum\(\)/);
  expect(query('{"a": [1, 2]}')).toBe(3);
});
