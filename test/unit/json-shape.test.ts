import { expect, test } from 'vitest';
import { shapeOf } from '../support/json-shape.ts';

test.each([
  [[1, 2], 'number'],
  [[null, 'a'], 'string | null'],
  [[{ a: 1, b: null }, { a: 'x' }], { a: 'number | string', 'b?': 'null' }],
  [[[], [{ a: 1 }, { a: 2 }]], [{ a: 'number' }]],
  [[[]], []],
  [[null, { a: true }], { 'null or': { a: 'boolean' } }],
])('%j looks like %j', (values, shape) => {
  expect(shapeOf(values)).toEqual(shape);
});
