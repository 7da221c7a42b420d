import { describe, expect, test } from 'vitest';
import type { Exit } from '../../src/supervise/process-group.ts';
import { ENDING } from '../../src/supervise/supervisor.ts';
import { type Answer, grants, refuses } from '../support/fake-lease.ts';
import { NO_GROUP } from '../support/process-groups.ts';
import { started } from '../support/supervising.ts';

const MINUTE = 60_000;
const DONE: Exit = { code: 0, signal: null };
/** What was stopped by somebody else could do nothing about it. */
const TERM = ['SIGTERM', 'SIGCONT'];

describe('a command under a lease', () => {
  test('begins once the watchdog knows of it', async () => {
    const { begun, order } = await started();
    expect(begun).toHaveLength(1);
    expect(order()).toEqual({
      group: NO_GROUP,
      stopAt: 47_000,
      deadline: 57_000,
      grace: 10_000,
      secretFile: '/secret/job.json',
    });
  });

  test('does not begin when it is too late for that', async () => {
    const { begun, stops, sent, exit, supervised, clocks } = await started({ late: 47_000 });
    expect(begun).toEqual([]);
    expect(sent).toEqual(TERM);
    exit({ code: null, signal: 'SIGTERM' });
    const { stop, hasBegun } = await clocks.until(supervised);
    expect([stop, hasBegun]).toMatchObject([
      { by: 'loss', failure: { code: 'lease_lost' } },
      false,
    ]);
    expect(stops).toEqual([stop]);
  });

  test('ends by itself', async () => {
    const { clocks, supervised, exit, stops, watchdog, signals, since } = await started();
    await clocks.advance(10_000);
    exit({ code: 3, signal: null });
    const { deadline, ...ended } = await clocks.until(supervised);
    expect(ended).toEqual({ exit: { code: 3, signal: null }, stop: undefined, hasBegun: true });
    expect(since(deadline)).toBe(57_000);
    expect(since(clocks.now())).toBe(10_000);
    expect(stops).toEqual([]);
    expect(watchdog.told.filter((it) => it === 'release')).toHaveLength(1);
    expect(watchdog.told.at(-1)).toBe('release');
    expect(signals.listeners).toBe(0);
    expect(clocks.sleepers).toBe(0);
  });

  test('has its lease renewed, and the watchdog knows', async () => {
    const { clocks, supervised, exit, order, renewed, since } = await started({
      answers: grants(MINUTE, 30_000),
    });
    await clocks.advance(20_000);
    expect(order()).toMatchObject({ stopAt: 67_000, deadline: 77_000 });
    await clocks.advance(20_000);
    expect(order()).toMatchObject({ stopAt: 58_500, deadline: 68_500, grace: 10_000 });
    expect(renewed).toHaveLength(2);
    exit(DONE);
    expect(since((await clocks.until(supervised)).deadline)).toBe(68_500);
  });

  test('has more time when a renewal that failed goes well the next time', async () => {
    const { clocks, supervised, exit, failed, since } = await started({
      answers: [...refuses('unavailable'), ...grants(MINUTE)],
    });
    await clocks.advance(30_000);
    expect(failed.map(([{ code }, { stopAt }]) => [code, since(stopAt)])).toEqual([
      ['unavailable', 47_000],
    ]);
    exit(DONE);
    expect(await clocks.until(supervised)).toMatchObject({ stop: undefined });
  });

  test('ends, and a renewal that is under way may bring what has to be known', async () => {
    const { clocks, supervised, exit, since } = await started({
      answers: [{ after: 8_000, brings: { duration: MINUTE } }],
    });
    await clocks.advance(20_500);
    exit(DONE);
    await clocks.until(supervised);
    expect(since(clocks.now())).toBe(28_000);
  });

  test.each(['before', 'after'])(
    'does not wait for a renewal when a signal comes %s its end',
    async (when) => {
      const { clocks, signals, supervised, exit, since } = await started();
      await clocks.advance(20_500);
      if (when === 'after') exit(DONE);
      await clocks.advance(500);
      signals.send('SIGINT');
      exit(DONE);
      await clocks.until(supervised);
      expect(since(clocks.now())).toBe(21_000);
    },
  );

  test('gets a signal also where it has no grace', async () => {
    const { signals, sent, exit, supervised, clocks } = await started({ grace: 0 });
    signals.send('SIGINT');
    exit(DONE);
    await clocks.until(supervised);
    expect(sent[0]).toBe('SIGINT');
  });

  test('is late if it ends when it should have been stopped', async () => {
    const { clocks, supervised, exit, stops, sent } = await started();
    clocks.suspend(50_000);
    exit(DONE);
    const { exit: how, stop } = await clocks.until(supervised);
    expect([how, stop?.by]).toEqual([DONE, 'loss']);
    expect(stops).toEqual([stop]);
    expect(sent).toEqual(TERM);
  });
});

describe('a command is told to stop', () => {
  test('when the lease is lost', async () => {
    const { clocks, sent, stops, order, supervised, exit, lease } = await started({
      answers: refuses('lease_lost'),
    });
    await clocks.advance(20_000);
    expect(sent).toEqual(TERM);
    expect(order()).toMatchObject({ stopAt: null, deadline: 30_000, grace: 10_000 });
    expect(stops).toEqual([{ by: 'loss', failure: lease.calls[0]?.failure }]);
    exit(DONE);
    expect(await clocks.until(supervised)).toMatchObject({ exit: DONE, stop: { by: 'loss' } });
  });

  test('when its time is over', async () => {
    const { clocks, sent, stops, order } = await started();
    await clocks.advance(46_999);
    expect([sent, order().stopAt]).toEqual([[], 47_000]);
    await clocks.advance(1);
    expect(sent).toEqual(TERM);
    expect(order()).toMatchObject({ stopAt: null, deadline: 57_000 });
    expect(stops).toMatchObject([{ by: 'loss' }]);
  });

  test('and has no more time for that than the lease', async () => {
    const { clocks, order } = await started();
    await clocks.advance(30_100);
    clocks.suspend(20_000);
    await clocks.advance(250);
    const { stopAt, deadline } = order();
    expect([stopAt, deadline]).toEqual([null, 57_000]);
  });

  test('when the service wants that', async () => {
    const { clocks, sent, stops, order, supervised, exit } = await started({
      answers: [{ brings: { duration: MINUTE, isCanceled: true } }],
    });
    await clocks.advance(20_000);
    expect([sent, stops]).toEqual([TERM, [{ by: 'service' }]]);
    expect(order()).toMatchObject({ stopAt: null, deadline: 30_000 });
    exit({ code: null, signal: 'SIGTERM' });
    expect(await clocks.until(supervised)).toMatchObject({ stop: { by: 'service' } });
  });

  test.each(ENDING)('by a signal: %s', async (signal) => {
    const { clocks, signals, sent, stops, order, supervised, exit } = await started();
    await clocks.advance(5_000);
    signals.send(signal);
    expect([sent, stops]).toEqual([[signal, 'SIGCONT'], [{ by: 'signal', signal }]]);
    expect(order()).toMatchObject({ stopAt: null, deadline: 8_000 });
    exit(DONE);
    const { stop } = await clocks.until(supervised);
    expect(stop).toBe(stops[0]);
  });

  test('by a signal, and has no more time than its grace', async () => {
    const { signals, order } = await started({ grace: 1_000 });
    signals.send('SIGTERM');
    expect(order()).toMatchObject({ stopAt: null, deadline: 1_000 });
  });

  test('by one signal only', async () => {
    const { clocks, signals, sent, order, stops } = await started();
    signals.send('SIGINT');
    await clocks.advance(1_000);
    signals.send('SIGTERM');
    expect(order()).toMatchObject({ stopAt: null, deadline: 1_000 });
    await clocks.advance(100);
    expect(sent.slice(0, 2)).not.toContain('SIGTERM');
    expect(stops).toHaveLength(1);
  });

  test.each(['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const)(
    'not by its own affairs: %s',
    async (signal) => {
      const { signals, sent, stops, order } = await started();
      signals.send(signal);
      signals.send(signal);
      expect([sent, stops]).toEqual([[signal, signal], []]);
      expect(order().stopAt).toBe(47_000);
    },
  );
});

describe('a command that is being stopped', () => {
  test('has no more time because the lease is renewed', async () => {
    const { clocks, signals, order } = await started({ answers: grants(MINUTE) });
    await clocks.advance(19_999);
    signals.send('SIGINT');
    await clocks.advance(1_000);
    expect(order()).toMatchObject({ stopAt: null, deadline: 22_999 });
  });

  test('loses its lease none the less', async () => {
    const { clocks, signals, order, stops, sent, supervised, exit } = await started({
      answers: refuses('lease_lost'),
    });
    await clocks.advance(19_000);
    signals.send('SIGINT');
    await clocks.advance(1_000);
    expect(stops.map(({ by }) => by)).toEqual(['signal', 'loss']);
    expect(order()).toMatchObject({ stopAt: null, deadline: 22_000 });
    expect(sent).toEqual(['SIGINT', 'SIGCONT']);
    exit(DONE);
    expect(await clocks.until(supervised)).toMatchObject({ stop: { by: 'loss' } });
  });

  test('is lost and nothing else, once it is lost', async () => {
    const { clocks, signals, stops, sent, supervised, exit } = await started({
      answers: refuses('lease_lost'),
    });
    await clocks.advance(20_000);
    signals.send('SIGINT');
    expect(sent).toEqual([...TERM, 'SIGINT']);
    expect(stops.map(({ by }) => by)).toEqual(['loss']);
    exit(DONE);
    expect(await clocks.until(supervised)).toMatchObject({ stop: { by: 'loss' } });
  });
});

describe('a first signal', () => {
  test.each<[string, Answer]>([
    ['the service wants that', { brings: { duration: MINUTE, isCanceled: true } }],
    ['the lease is lost', { brings: 'lease_lost' }],
  ])('leaves three seconds to what has more because %s', async (_, answer) => {
    const { clocks, signals, order, stops, sent } = await started({ answers: [answer] });
    await clocks.advance(21_000);
    expect(order().deadline).toBe(30_000);
    signals.send('SIGHUP');
    expect(order()).toMatchObject({ stopAt: null, deadline: 24_000 });
    expect(sent).toEqual([...TERM, 'SIGHUP']);
    expect(stops).toHaveLength(1);
  });
});

describe('a bug in a renewal', () => {
  const bug = new TypeError('this is no failure');

  test('kills the command, and gets out', async () => {
    const { clocks, sent, order, supervised, exit, watchdog, signals } = await started({
      answers: [{ brings: bug }],
    });
    await clocks.advance(20_000);
    expect(sent).toEqual(['SIGKILL']);
    expect(order()).toMatchObject({ stopAt: null, deadline: 20_000 });
    exit({ code: null, signal: 'SIGKILL' });
    await expect(clocks.until(supervised)).rejects.toBe(bug);
    expect(watchdog.told.at(-1)).toBe('release');
    expect(signals.listeners).toBe(0);
  });
});
