import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/insight/diagnosis.ts';
import type { Facts } from '../../src/insight/facts.ts';
import { nextOf, type Reach } from '../../src/insight/next.ts';
import type { Sighting } from '../../src/insight/sighting.ts';
import { untoldIn } from '../../src/insight/untold.ts';
import { wordsOf } from '../../src/insight/words.ts';
import { ago, event, facts, history, renewed } from '../support/insight.ts';

type More = Partial<Omit<Facts, 'sighting'>>;

const words = (seen: Partial<Sighting>, more?: More) => wordsOf(diagnose(facts(seen, more)));
const held = { acquiredAt: ago(30), expiresAt: ago(-30), renewals: 0 };
const silent = history(event('acquired', 100), ...renewed(80, 60, 40));
const job = { kind: 'job', id: 'j' } as const;

describe('words', () => {
  test.each<[string, Partial<Sighting>, More?]>([
    ['is held by somebody, and was not renewed yet. It ends by itself in 30s.', {}],
    ['is held by this machine, and was not renewed yet. It ends by itself in 30s.', {}, { held }],
    [
      'is held by a@x, and renewed every 20s.',
      {},
      {
        history: history(event('acquired', 60), ...renewed(40, 20)),
        origin: { user: 'a', host: 'x' },
      },
    ],
    [
      'is held by runner-1. It ends by itself in 30s, unless it is renewed.',
      { holder: 'runner-1', acquiredAt: undefined, ttl: undefined },
    ],
    [
      'is held by a@x, and its renewal is overdue: the last was 40s ago, and usually one comes every 20s. It is free in 30s.',
      { holder: 'a@x' },
      { history: silent },
    ],
    [
      'is held by a@x, and its renewal is overdue: the last was 40s ago, and usually one comes every 20s. Its process runs, but does not get through. It is free in 30s.',
      { holder: 'a@x' },
      { history: silent, process: 'running' },
    ],
    [
      'is held by a process of this machine that is suspended. It is free in 30s.',
      {},
      { process: 'suspended' },
    ],
    [
      'is held by a process of this machine that is gone. It is free in 30s.',
      {},
      { process: 'gone' },
    ],
    [
      'is held by a@x, and is to stop: nobody else may have it any more. It is free in 30s.',
      { holder: 'a@x', isCancelRequested: true },
    ],
    ['is free: its lease ended 2m ago.', { state: 'expired', endsAt: ago(120) }],
    [
      'is free: its holder let it run out 2m ago.',
      { state: 'expired', endsAt: ago(120) },
      { history: [] },
    ],
    [
      'is free: a@x broke its lease 5s ago (runner is gone).',
      { state: 'expired' },
      { history: [event('broken', 5, { caller: 'a@x', detail: { reason: 'runner is gone' } })] },
    ],
    ['is finished: it was completed 1h ago.', { state: 'completed', finishedAt: ago(3600) }],
    [
      'is finished: it failed 1h ago (exit:3).',
      { state: 'failed', finishedAt: ago(3600), errorCode: 'exit:3' },
    ],
    ['is finished: it was canceled.', { state: 'failed', errorCode: 'canceled' }],
    ['is finished: it was canceled (late).', { state: 'failed', errorCode: 'canceled:late' }],
    ['was never seen there, or is forgotten.', { state: 'never_seen' }],
  ])('%s', (expected, seen, more) => {
    expect(words(seen, more)).toBe(`Key deploy ${expected}`);
  });

  test.each<[string, Partial<Sighting>, More?]>([
    ['Job j waits for somebody to take it.', { ...job, state: 'waiting', fencingToken: 0 }],
    ['Job j waits for somebody to take it: it was given back.', { ...job, state: 'waiting' }],
    [
      'Job j failed 3 of 3 tries. Nobody gets it any more.',
      { ...job, state: 'expired', fencingToken: 3, maxTries: 3, isClosed: true },
    ],
    [
      'Job j is given up: it was canceled while somebody had it.',
      { ...job, state: 'expired', isClosed: true },
    ],
    [
      'Job j is not among those that can be claimed: it is held, finished, or was never there.',
      { ...job, state: 'untold' },
    ],
    [
      'Runner job j is none that the service tells anything of. This machine had it, and has let it run out.',
      { ...job, kind: 'runner_job', state: 'untold' },
      { held: { ...held, expiresAt: ago(1) } },
    ],
    [
      'Runner job j was taken by a process of this machine that is gone; whether it still is held the service does not tell. Its lease ends by itself in 30s.',
      { ...job, kind: 'runner_job', state: 'untold' },
      { held, process: 'gone' },
    ],
    [
      'Job j was taken by this machine; whether it still is held the service does not tell. Its lease ends by itself in 30s, unless it is renewed.',
      { ...job, state: 'untold' },
      { held },
    ],
  ])('%s', (expected, seen, more) => {
    expect(words(seen, more)).toBe(expected);
  });
});

const OURS: Reach = {
  ...{ isAdministered: true, profile: undefined, stored: undefined, kind: undefined, meant: [] },
};
const HOSTED: Reach = { ...OURS, isAdministered: false, stored: 'prod' };

describe('the next command', () => {
  const next = (seen: Partial<Sighting>, more: More = {}, reach = OURS) =>
    nextOf(diagnose(facts(seen, more)), reach);

  test.each<[string | undefined, Partial<Sighting>, More?, Reach?]>([
    ['leasectl wait deploy', {}],
    ['leasectl watch j', job],
    ['leasectl watch deploy', {}, { history: silent }],
    ['kill -CONT 4711', {}, { process: 'suspended', origin: { pid: 4711 } }],
    ["leasectl break deploy --reason 'its process is gone'", {}, { process: 'gone' }],
    ['leasectl watch deploy', {}, { process: 'gone' }, HOSTED],
    [
      'leasectl jobs fail j --error-code holder_gone --retryable',
      job,
      { process: 'gone', held },
      HOSTED,
    ],
    ['leasectl watch j', job, { process: 'gone' }, HOSTED],
    ['leasectl lease deploy', { state: 'expired' }],
    ['leasectl jobs claim j', { ...job, state: 'waiting' }],
    [
      'leasectl admin leases show r --kind runner-job',
      { id: 'r', kind: 'runner_job', state: 'waiting' },
    ],
    [undefined, { kind: 'runner_job', state: 'waiting' }, {}, HOSTED],
    ['leasectl result deploy', { state: 'failed' }],
    ['leasectl admin leases show j --kind job', { ...job, state: 'completed' }],
    [undefined, { ...job, state: 'completed' }, {}, HOSTED],
    [
      'leasectl admin history j --kind job',
      { ...job, state: 'expired', fencingToken: 3, maxTries: 3 },
    ],
    ['leasectl admin leases list --kind key', { state: 'never_seen' }],
    ['leasectl ls', { state: 'never_seen' }, {}, HOSTED],
    ['leasectl admin leases list --kind job', { ...job, state: 'never_seen' }],
    ['leasectl jobs list', { ...job, state: 'untold' }, {}, HOSTED],
    [
      'leasectl jobs heartbeat j',
      { ...job, state: 'untold' },
      { held: { ...held, expiresAt: ago(1) } },
      HOSTED,
    ],
  ])('%s', (expected, seen, more, reach) => {
    expect(next(seen, more, reach)).toBe(expected);
  });

  test('names what is meant, the profile and the kind where they are needed, as a shell takes them', () => {
    const reach = { ...OURS, profile: 'team', kind: 'key', meant: ["deploy 'x'"] };
    expect(next({ state: 'never_seen' }, {}, reach)).toBe(
      "leasectl why 'deploy '\\''x'\\''' --kind key --profile team",
    );
    expect(next({}, { history: silent }, reach)).toBe(
      'leasectl watch deploy --kind key --profile team',
    );
  });

  test('does not take an id for a flag', () => {
    const seen = { id: '-x', state: 'held' } as const;
    const gone = { process: 'gone' } as const;
    const reach = { ...OURS, profile: 'team' };
    expect(next(seen, {}, reach)).toBe('leasectl wait --profile team -- -x');
    expect(next(seen, gone)).toBe("leasectl break --reason 'its process is gone' -- -x");
  });

  test('of a service that does not answer is to look at its profile', () => {
    const diagnosis = { ...diagnose(facts()), name: 'unreachable' } as const;
    expect(nextOf(diagnosis, { ...HOSTED, profile: 'prod' })).toBe('leasectl doctor prod');
    expect(nextOf(diagnosis, { ...HOSTED, stored: undefined })).toBe('leasectl doctor');
  });
});

test('what nobody told is named', () => {
  const untold = (seen: Partial<Sighting>, more?: More, hasState = true) =>
    untoldIn(diagnose(facts(seen, more)), hasState);
  expect(untold({}, { history: [], origin: { host: 'x' } })).toEqual([]);
  const little = { acquiredAt: undefined, ttl: undefined };
  expect(untold(little)).toEqual(['holder', 'since', 'renewals', 'history']);
  expect(untold({ ...job, state: 'untold', endsAt: undefined }, {}, false)).toEqual([
    ...['state', 'holder', 'end', 'history'],
  ]);
  expect(untold({ state: 'completed' })).toEqual(['history']);
  expect(untold({ state: 'never_seen' })).toEqual([]);
});
