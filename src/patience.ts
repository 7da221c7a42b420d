import { setTimeout as delay } from 'node:timers/promises';

/** How often, and every how many milliseconds, a patient look is repeated. */
const LOOKS = 5;
const LOOK_INTERVAL = 50;

/**
 * Looks for something that another process may be about to write down.
 *
 * @param looks how often; 1 for a look without patience
 * @returns the first thing that was found; undefined when it did not come
 */
export async function patiently<T>(
  find: () => T | undefined,
  looks = LOOKS,
): Promise<T | undefined> {
  for (let look = 1; ; look += 1) {
    const found = find();
    if (found !== undefined || look === looks) return found;
    await delay(LOOK_INTERVAL);
  }
}
