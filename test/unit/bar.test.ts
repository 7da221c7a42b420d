import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { bar } from '../../src/output/bar.ts';

test.each([
  [1, '██████'],
  [0.5, '███░░░'],
  [0.25, '█▌░░░░'],
  [0.01, '░░░░░░'],
  [0.02, '▏░░░░░'],
  [0, '░░░░░░'],
  [-1, '░░░░░░'],
  [7, '██████'],
])('of %d there is left: %s', (part, shown) => {
  expect(bar(part, 6)).toBe(shown);
});

test('it is as wide as it should be, and never longer for less', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), (part, width) => {
      const shown = bar(part, width);
      expect(stringWidth(shown)).toBe(width);
      expect(bar(part / 2, width).indexOf('░')).toBeLessThanOrEqual(
        shown.includes('░') ? shown.indexOf('░') : width,
      );
    }),
  );
});
