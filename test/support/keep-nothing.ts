import type { KeepEnd, KeepOptions } from '../../src/supervise/keeper.ts';
import { later } from '../../src/supervise/moment.ts';

/*
 * Stands in the place of src/supervise/keeper.ts in a build that is to be found out: no lease is
 * renewed, and nothing is stopped when one ends.
 */

export async function keep({ clocks, signal, onTimetable }: KeepOptions): Promise<KeepEnd> {
  const never = later(clocks.now(), 3_600_000);
  onTimetable({ renewAt: never, stopAt: never, deadline: never, grace: 1_000 });
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return { why: 'released' };
}
