import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/domain/duration.ts';
import { Failure } from '../../src/domain/failure.ts';

describe('parseDuration', () => {
  test.each([
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['1h30m', 5400],
    ['2d', 172_800],
    ['30d', 2_592_000],
    [' 1s ', 1],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration(text, '--ttl')).toBe(seconds);
  });

  test.each(['', '0', '0s', '31d', '30d1s', '-5', '1.5h', '5 m', '1m1h', 's', 'soon', '1e3', '٣s'])(
    'refuses %j, telling the range',
    (text) => {
      expect(() => parseDuration(text, '--ttl')).toThrow(
        expect.objectContaining({ code: 'usage', hint: expect.stringContaining('1s to 30d') }),
      );
    },
  );

  test('takes any text without another error than its own', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(Number.isInteger(parseDuration(text, '--ttl'))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [-3, '0s'],
    [59.9, '59s'],
    [90, '1m 30s'],
    [3600, '1h'],
    [3605, '1h'],
    [172_800 + 3600 * 4 + 5, '2d 4h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
