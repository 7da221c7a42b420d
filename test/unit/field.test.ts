import { describe, expect, test } from 'vitest';
import { fieldOf } from '../../src/output/field.ts';

const ANSWER = `{
  "ok": true, "key": "k", "ttl_left": null, "version": 12345678901234567890, "share": 1.50,
  "result": { "commit": "4f2a9c", "a.b": { "c": [1, 2.0, {"d": "e"}] } },
  "a.b": "dotted", "twice": 1, "twice": 2, "empty": {}
}`;

describe('of an object', () => {
  test.each([
    ['key', 'k'],
    ['ok', 'true'],
    ['ttl_left', ''],
    ['version', '12345678901234567890'],
    ['share', '1.50'],
    ['result', '{"commit":"4f2a9c","a.b":{"c":[1,2.0,{"d":"e"}]}}'],
    ['result.commit', '4f2a9c'],
    ['result.a.b.c', '[1,2.0,{"d":"e"}]'],
    ['result.a.b.c.1', '2.0'],
    ['result.a.b.c.2.d', 'e'],
    ['a.b', 'dotted'],
    ['twice', '2'],
    // What is null has no fields that could be missing.
    ['ttl_left.x.y', ''],
  ])('%s', async (name, value) => {
    expect(await fieldOf(ANSWER, name, [])).toEqual([value]);
  });

  test.each([
    ['kez', 'The answer has no field kez.', 'There are ok, key, ttl_left, version,'],
    ['result.comit', 'result in the answer has no field comit.', 'There are commit, a.b.'],
    ['result.a.b.x', 'result.a.b in the answer has no field x.', 'There are c.'],
    ['key.x', 'key in the answer has no field x.', 'It has no fields at all'],
    ['constructor', 'The answer has no field constructor.', 'There are ok'],
    ['__proto__', 'The answer has no field __proto__.', 'There are ok'],
    ['empty.x', 'empty in the answer has no field x.', 'It has no fields at all'],
  ])('there is no %s', async (name, message, hint) => {
    await expect(fieldOf(ANSWER, name, ['done_at'])).rejects.toMatchObject({
      code: 'usage',
      message,
      hint: expect.stringContaining(hint),
    });
  });

  test('a field that the contract knows, and the service left out, is empty', async () => {
    expect(await fieldOf(ANSWER, 'done_at', ['done_at'])).toEqual(['']);
    expect(await fieldOf(ANSWER, 'done_at.x', ['done_at'])).toEqual(['']);
    expect(await fieldOf(ANSWER, 'empty.x', ['empty', 'empty.x'])).toEqual(['']);
    expect(await fieldOf('{"a": [{}, {"b": 1}]}', 'a.0.b', ['a', 'a.b'])).toEqual(['']);
  });

  test.each([
    ['key.x', 'key in the answer has no field x.'],
    ['result.comit', 'result in the answer has no field comit.'],
    ['empty.x.y', 'empty in the answer has no field x.y.'],
  ])('what it does not know of a field is not there: %s', async (name, message) => {
    const known = ['key', 'result', 'empty', 'done_at'];
    await expect(fieldOf(ANSWER, name, known)).rejects.toMatchObject({ code: 'usage', message });
  });

  test('what would act on a terminal, or on lines, is spelled out', async () => {
    const json = JSON.stringify({ a: 'x\u001b[2J\ny', b: { c: '\u202e' } });
    expect(await fieldOf(json, 'a', [])).toEqual(['x\\u001b[2J\\u000ay']);
    expect(await fieldOf(json, 'b', [])).toEqual(['{"c":"\\u202e"}']);
  });
});

describe('of a list', () => {
  const jobs = '[{"id": 1, "type": "a"}, {"id": 2.0}, {"id": null}]';

  test.each([
    ['an array', jobs],
    ['an object with one list', `{"items": ${jobs}, "cursor": null, "tags": ["x"]}`],
  ])('%s gives a line for each', async (_, json) => {
    expect(await fieldOf(json, 'id', [])).toEqual(['1', '2.0', '']);
    expect(await fieldOf(json, 'type', [])).toEqual(['a', '', '']);
    await expect(fieldOf(json, 'nope', [])).rejects.toMatchObject({
      hint: 'There are id, type.',
    });
  });

  test('what no element has is missing, unless it could be there, or nobody can tell', async () => {
    const list = '[{"t": null, "s": "x"}, {"t": {"tail": "a"}, "s": "y"}]';
    expect(await fieldOf(list, 't.tail', [])).toEqual(['', 'a']);
    await expect(fieldOf(list, 't.tial', ['t'])).rejects.toMatchObject({
      message: 't in the answer has no field tial.',
      hint: 'There are tail.',
    });
    await expect(fieldOf(list, 's.x', ['s'])).rejects.toThrow('s in the answer has no field x.');
    expect(await fieldOf(list, 't.tial', ['t.tial'])).toEqual(['', '']);
    expect(await fieldOf(list, 'other', ['other'])).toEqual(['', '']);
    expect(await fieldOf(`{"items": ${list}}`, 'other', ['items', 'items.other'])).toEqual([
      '',
      '',
    ]);
    expect(await fieldOf('[{"t": null}]', 't.tial', [])).toEqual(['']);
  });

  test('the own fields of what has a list come first', async () => {
    const json = `{"items": ${jobs}, "id": "own", "cursor": null}`;
    expect(await fieldOf(json, 'id', [])).toEqual(['own']);
    expect(await fieldOf(json, 'items.1.id', [])).toEqual(['2.0']);
  });

  test('two lists are none', async () => {
    await expect(fieldOf(`{"a": ${jobs}, "b": ${jobs}}`, 'id', [])).rejects.toThrow('no field id');
  });

  test('an empty one has no lines, whatever is asked for', async () => {
    expect(await fieldOf('[]', 'id', [])).toEqual([]);
    expect(await fieldOf('{"items": []}', 'id', [])).toEqual([]);
  });
});

test('of null every field is empty', async () => {
  expect(await fieldOf('null', 'id', [])).toEqual(['']);
});

test('of what is neither there are no fields', async () => {
  await expect(fieldOf('"text"', 'length', [])).rejects.toMatchObject({ code: 'usage' });
});
