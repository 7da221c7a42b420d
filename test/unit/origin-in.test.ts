import fc from 'fast-check';
import { expect, test } from 'vitest';
import { originIn } from '../../src/domain/origin.ts';

const ORIGIN = {
  host: 'laptop',
  user: 'ada',
  pid: 4711,
  pid_namespace: 'pid:[4026531836]',
  boot_id: '6f1fd4a2-7d0f-4a3b-9d7c-1e6f0f1c9a52',
  started: 5_636_611,
  command: 'jobs exec',
  repository: 'https://example.com/deploy.git',
  commit: 'f'.repeat(40),
  ci: { provider: 'GitLab CI', url: 'https://ci.example.com/1', job: 'deploy', actor: 'ada' },
};

test('an origin is read as it was written', () => {
  expect(originIn({ claimed_by: 'x', leasectl: ORIGIN })).toEqual(ORIGIN);
});

test.each([
  null,
  undefined,
  'text',
  {},
  { leasectl: null },
  { leasectl: [ORIGIN] },
  { leasectl: {} },
  { leasectl: { host: 1, pid: '1', ci: 'x' } },
  { leasectl: { host: '', pid: 0, ci: { url: null } } },
  { leasectl: { pid: 1.5, ci: [] } },
])('what is none is none: %j', (metadata) => {
  expect(originIn(metadata)).toBeUndefined();
});

test('what is wrong in it is left out, and what is unknown, too', () => {
  const leasectl = { ...ORIGIN, host: { a: 1 }, pid: -1, more: 'x', ci: { job: 'deploy', url: 1 } };
  const { host: _, pid: __, ...rest } = ORIGIN;
  expect(originIn({ leasectl })).toEqual({ ...rest, ci: { job: 'deploy' } });
});

test('no text is longer than a name, half a character, or what no database stores', () => {
  const texts = [fc.string({ unit: 'binary' }), fc.constant('😀'.repeat(151)), fc.constant('\0')];
  const value = fc.oneof(
    ...texts,
    fc.constant('a'.repeat(100_000)),
    fc.string({ unit: 'grapheme' }),
  );
  fc.assert(
    fc.property(value, value, (host, job) => {
      const { host: kept = '', ci } = originIn({ leasectl: { host, ci: { job } } }) ?? {};
      for (const [text, given] of [
        [kept, host],
        [ci?.job ?? '', job],
      ] as const) {
        expect(text.length).toBe(Math.min(given.length, 300));
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toContain('\0');
      }
    }),
  );
});
