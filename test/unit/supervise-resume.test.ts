import { expect, test } from 'vitest';
import { settled } from '../support/fake-clocks.ts';
import { started } from '../support/supervising.ts';

/** What was stopped by somebody else could do nothing about it. */
const TERM = ['SIGTERM', 'SIGCONT'];

test('a stopped command goes on with leasectl', async () => {
  const { clocks, signals, sent, stops } = await started();
  signals.send('SIGTSTP');
  expect([sent, signals.isSuspended]).toEqual([['SIGSTOP'], true]);
  clocks.suspend(10_000);
  await settled();
  expect(sent).toEqual(['SIGSTOP']);
  signals.goOn();
  await settled();
  expect(sent).toEqual(['SIGSTOP', 'SIGCONT']);
  signals.send('SIGCONT');
  expect(sent).toEqual(['SIGSTOP', 'SIGCONT', 'SIGCONT']);
  expect(stops).toEqual([]);
});

test('a stopped command is told to stop before it goes on, if there is time for that alone', async () => {
  const { clocks, signals, sent, order, stops } = await started();
  signals.send('SIGTSTP');
  clocks.suspend(50_000);
  signals.goOn();
  await settled();
  expect(sent).toEqual(['SIGSTOP', ...TERM, 'SIGCONT']);
  expect(order().stopAt).toBe(null);
  await clocks.advance(1_000);
  // Whoever else notices it tells nothing new.
  expect(stops).toMatchObject([{ by: 'loss' }]);
});
