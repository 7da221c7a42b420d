import { formatDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';

/**
 * Waits for a piece of work, but not longer than so many milliseconds. What was begun may go on.
 *
 * @param what it is, for the message
 * @throws Failure `unavailable` when it takes longer
 */
export async function within<T>(timeout: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${what} took longer than ${formatDuration(timeout / 1000)}.`;
    const hint = 'Try again with more time: leasectl doctor --timeout 30s';
    timer = setTimeout(() => reject(new Failure('unavailable', message, { hint })), timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
