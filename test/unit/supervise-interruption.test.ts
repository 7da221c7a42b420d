import { expect, test } from 'vitest';
import { aborted, watchForInterruption } from '../../src/supervise/interruption.ts';
import { ENDING } from '../../src/supervise/supervisor.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';
import { FakeSignals } from '../support/supervising.ts';

function watching() {
  const clocks = new FakeClocks();
  const signals = new FakeSignals();
  const interruption = watchForInterruption(signals, clocks);
  const { begun, late, over } = interruption;
  const state = () => ({ begun: begun.aborted, late: late.aborted, over: over.aborted });
  return { clocks, signals, interruption, state };
}

test('nothing is interrupted without a signal', async () => {
  const { clocks, signals, interruption, state } = watching();
  signals.send('SIGUSR1');
  signals.send('SIGTSTP');
  await clocks.advance(60_000);
  expect(interruption.first()).toBe(undefined);
  expect(state()).toEqual({ begun: false, late: false, over: false });
});

test.each(ENDING)('what is not done is given up some time after a signal: %s', async (signal) => {
  const { clocks, signals, interruption, state } = watching();
  await clocks.advance(1_000);
  const at = clocks.now();
  signals.send(signal);
  expect(interruption.first()).toEqual({ signal, at });
  expect(state()).toEqual({ begun: true, late: false, over: false });
  await clocks.advance(3_199);
  await settled();
  expect(state()).toEqual({ begun: true, late: false, over: false });
  await clocks.advance(1);
  expect(state()).toEqual({ begun: true, late: true, over: false });
  await clocks.advance(999);
  expect(state()).toEqual({ begun: true, late: true, over: false });
  await clocks.advance(1);
  expect(state()).toEqual({ begun: true, late: true, over: true });
});

test('the first signal counts', async () => {
  const { clocks, signals, interruption, state } = watching();
  const at = clocks.now();
  signals.send('SIGINT');
  await clocks.advance(2_000);
  signals.send('SIGTERM');
  signals.send('SIGINT');
  expect(interruption.first()).toEqual({ signal: 'SIGINT', at });
  await clocks.advance(2_500);
  expect(state()).toEqual({ begun: true, late: true, over: true });
  expect(clocks.sleepers).toBe(0);
});

test('who waits for an abort is told, also afterwards', async () => {
  const controller = new AbortController();
  let isTold = false;
  const waiting = aborted(controller.signal).then(() => {
    isTold = true;
  });
  await settled();
  expect(isTold).toBe(false);
  controller.abort();
  await waiting;
  await aborted(controller.signal);
});
