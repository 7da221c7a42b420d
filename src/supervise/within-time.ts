import { Failure } from '../domain/failure.ts';
import { type Clocks, type Moment, sleepUntil } from './moment.ts';

/** What a call brought, or the Failure that it ended with; other errors pass. */
export async function settled<T>(call: Promise<T>): Promise<T | Failure> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/**
 * Waits for an answer, but not beyond a moment, and not when the signal is aborted.
 *
 * @returns undefined when it was not waited for any longer
 */
export async function withinTime<T>(
  answer: Promise<T>,
  end: Moment,
  clocks: Clocks,
  signal: AbortSignal,
): Promise<T | undefined> {
  const isAnswered = new AbortController();
  const watched = answer.finally(() => isAnswered.abort());
  const isLate = sleepUntil(end, clocks, AbortSignal.any([signal, isAnswered.signal]));
  await Promise.race([watched, isLate]);
  return isAnswered.signal.aborted ? watched : undefined;
}
