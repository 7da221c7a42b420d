import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/insight/diagnosis.ts';
import type { Facts } from '../../src/insight/facts.ts';
import type { Sighting } from '../../src/insight/sighting.ts';
import { ago, event, facts, history, renewed } from '../support/insight.ts';

const name = (seen: Partial<Sighting>, more?: Partial<Omit<Facts, 'sighting'>>) =>
  diagnose(facts(seen, more)).name;
const late = { history: history(event('acquired', 300), ...renewed(280, 260, 240)) };
const held = { acquiredAt: ago(30), expiresAt: ago(-30), renewals: 0 };

describe('what is held', () => {
  test.each([
    ['healthy', {}, {}],
    ['late', {}, late],
    ['gone', {}, { process: 'gone' }],
    ['suspended', {}, { process: 'suspended' }],
    ['late', {}, { ...late, process: 'running' }],
    ['gone', {}, { ...late, process: 'gone' }],
    ['stopping', { isCancelRequested: true }, {}],
    ['gone', { isCancelRequested: true }, { process: 'gone' }],
  ] as const)('%s: %j %j', (expected, seen, more) => {
    expect(name(seen, more)).toBe(expected);
  });
});

describe('what is not held', () => {
  const broken = history(event('acquired', 60), event('broken', 5));
  const again = history(...broken, event('acquired', 4), event('expired', 2));
  test.each([
    ['expired', { state: 'expired' }, {}],
    ['expired', { state: 'expired' }, { process: 'gone' }],
    ['waiting', { kind: 'job', state: 'waiting' }, {}],
    ['broken', { state: 'expired' }, { history: broken }],
    ['broken', { kind: 'job', state: 'waiting' }, { history: broken }],
    ['expired', { state: 'expired' }, { history: again }],
    ['finished', { state: 'completed' }, {}],
    ['finished', { state: 'failed' }, {}],
    ['finished', { kind: 'job', state: 'expired', isClosed: true }, {}],
    ['never_seen', { state: 'never_seen' }, {}],
    ['unknown', { kind: 'job', state: 'untold' }, {}],
  ] as const)('%s: %j %j', (expected, seen, more) => {
    expect(name(seen, more)).toBe(expected);
  });
});

describe('poison', () => {
  const failed = (...types: readonly string[]) =>
    history(
      ...types.flatMap((type, index) => {
        const token = { fencingToken: index + 1 };
        const detail = type === 'released' ? { error_code: 'oom' } : {};
        const at = 100 - index * 10;
        return [event('acquired', at, token), event(type, at - 5, { ...token, detail })];
      }),
    );

  test('is work whose tries are used up', () => {
    const seen = { kind: 'runner_job', state: 'expired', maxTries: 3, isClosed: true } as const;
    const used = diagnose(facts({ ...seen, fencingToken: 3 }));
    expect(used).toMatchObject({ name: 'poison', tries: { failed: 3, most: 3 } });
    expect(name({ ...seen, fencingToken: 2 })).toBe('finished');
    expect(name({ ...seen, fencingToken: 2, isClosed: false })).toBe('expired');
    expect(name({ ...seen, fencingToken: 3, state: 'held' })).toBe('healthy');
  });

  test('is work of which three tries in a row went wrong', () => {
    const job = { kind: 'job', state: 'waiting' } as const;
    const three = failed('expired', 'released', 'expired');
    expect(diagnose(facts(job, { history: three })).tries).toEqual({ failed: 3, most: undefined });
    expect(name(job, { history: failed('expired', 'released') })).toBe('waiting');
    expect(name(job, { history: failed('expired', 'released', 'broken') })).toBe('broken');
    const good = failed('expired', 'completed', 'expired', 'expired');
    expect(name(job, { history: good })).toBe('waiting');
    expect(name({ ...job, kind: 'key', state: 'expired' }, { history: three })).toBe('expired');
  });

  test('counts the try that was lost just now, which nothing notes yet', () => {
    const last = event('acquired', 10, { fencingToken: 3 });
    const told = { history: history(...failed('expired', 'expired'), last) };
    expect(name({ kind: 'job', state: 'expired' }, told)).toBe('poison');
    expect(name({ kind: 'job', state: 'held' }, told)).toBe('healthy');
  });
});

describe('what a service does not tell', () => {
  const untold = { kind: 'job', state: 'untold', endsAt: undefined } as const;
  test('this machine does, as long as its own lease runs', () => {
    expect(diagnose(facts(untold, { held })).facts.sighting).toMatchObject({
      ...{ state: 'held', acquiredAt: ago(30), endsAt: ago(-30) },
    });
    expect(name(untold, { held, process: 'gone' })).toBe('gone');
  });
  test('remains unknown when that has run out', () => {
    const over = { ...held, expiresAt: ago(1) };
    expect(name(untold, { held: over, process: 'gone' })).toBe('unknown');
  });
});
