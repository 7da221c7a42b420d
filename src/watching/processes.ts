import { setTimeout as delay } from 'node:timers/promises';
import { processState, thisHost } from '../origin/process-state.ts';
import type { WatchModel } from '../watch/model.ts';

/** How often processes are looked at, in milliseconds. */
const PAUSE = 2_000;

/** Notes what became of the processes that keep leases, as far as they run here, until the signal. */
export async function watchProcesses(
  model: WatchModel,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const here = thisHost();
    for (const row of model.rows.values()) {
      const { origin, acquiredAt, state, isOwn } = row;
      if (state !== 'held' || !origin || acquiredAt === undefined) continue;
      // By this machine's clock.
      const takenAt = acquiredAt - (model.timeOf(row, now()) - now());
      const found = await processState(origin, takenAt, isOwn, here);
      row.process = found === 'gone' || found === 'suspended' ? found : undefined;
    }
    await delay(PAUSE, undefined, { signal }).catch(() => undefined);
  }
}
