import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { laidOut } from '../../src/output/json-text.ts';

test('a text is laid out as JSON.stringify would', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(0, 2),
      fc.constantFrom(0, 1, 4),
      (value, to, from) => {
        const json = JSON.stringify(value, null, from);
        expect(laidOut(json, to)).toBe(JSON.stringify(value, null, to));
      },
    ),
  );
});

test('numbers keep their digits, strings their escapes', () => {
  const json = '{ "a" : [1.50, 12345678901234567890], "b": "\\u00e9 \\"{,:" }';
  expect(laidOut(json, 0)).toBe('{"a":[1.50,12345678901234567890],"b":"\\u00e9 \\"{,:"}');
});

test('depth is no matter', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(laidOut(deep, 0)).toBe(deep);
});
