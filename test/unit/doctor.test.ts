import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeCertificate } from '../../src/doctor/certificate.ts';
import { leastApart, skewOf } from '../../src/doctor/clock-skew.ts';
import { checkNode } from '../../src/doctor/machine.ts';
import { lookUp } from '../../src/doctor/name-lookup.ts';

test.each([
  ['20.19.0', 'ok'],
  ['20.18.3', 'fail'],
  ['18.20.8', 'fail'],
  ['22.0.0', 'ok'],
  ['24.11.1', 'ok'],
])('Node %s: %s', (version, status) => {
  expect(checkNode(version)).toMatchObject({ name: 'node', status });
});

describe('the skew of a clock', () => {
  const time = fc.integer({ min: 0, max: 3_000 });

  test('is between what it tells, whatever the way takes, and whenever the second begins', () => {
    const samples = fc.array(fc.record({ begun: time, there: time, back: time }), { minLength: 1 });
    const skews = fc.integer({ min: -100_000, max: 100_000 });
    fc.assert(
      fc.property(skews, samples, (skew, trips) => {
        const told = trips.map(({ begun, there, back }) => {
          const sent = 1_750_000_000_000 + begun;
          const byService = sent + there - skew;
          return {
            sent,
            received: sent + there + back,
            told: Math.floor(byService / 1000) * 1000,
          };
        });
        const { least = Number.NaN, most = Number.NaN } = skewOf(told) ?? {};
        expect(least).toBeLessThanOrEqual(skew);
        expect(most).toBeGreaterThanOrEqual(skew);
        expect(leastApart({ least, most })).toBeLessThanOrEqual(Math.abs(skew));
      }),
    );
  });

  test('is open where clocks contradict one another, and unknown without any', () => {
    const sample = (told: number) => ({ sent: 10_000, received: 10_000, told });
    expect(skewOf([sample(5_000), sample(9_000)])).toEqual({ least: 0, most: 5_000 });
    expect(skewOf([])).toBeUndefined();
    expect(leastApart({ least: -9_000, most: -4_000 })).toBe(4_000);
    expect(leastApart({ least: -1, most: 4_000 })).toBe(0);
  });
});

describe('looking up a name', () => {
  test('ends in time where the resolver does not', async () => {
    const begun = performance.now();
    const program = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)';
    const options = { env: {}, timeout: 300, program };
    expect(await lookUp('slow.example.com', options)).toEqual({ code: 'ETIMEDOUT' });
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('gives its addresses, and those of none at once', async () => {
    const found = await lookUp('localhost', { env: process.env, timeout: 10_000 });
    expect(found).toMatchObject({ took: expect.any(Number) });
    const address = { addresses: [{ address: '::1', family: 6 }], took: 0 };
    expect(await lookUp('::1', { env: {}, timeout: 1, program: 'throw 1' })).toEqual(address);
  });

  test('tells what ends without an answer', async () => {
    const options = { env: {}, timeout: 10_000, program: 'process.exit(3)' };
    expect(await lookUp('a.example.com', options)).toEqual({ code: '3' });
  });
});

test.each<[number, string]>([
  [-1, 'fail'],
  [13, 'warn'],
  [15, 'ok'],
])('a certificate that ends in %d days: %s', (days, status) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const end = new Date(now + days * 24 * 3_600_000);
  const subject = {
    name: 'prod',
    profile: 'prod',
    url: new URL('https://prod.example.com'),
    isLeasectl: false,
    network: {},
    ways: [],
    isTokenUnclear: false,
  };
  const shown = { issuer: 'somebody', end, problem: undefined };
  expect(judgeCertificate(subject, shown, now)).toMatchObject({
    status,
    measured: { expires_at: end.toISOString() },
  });
});
