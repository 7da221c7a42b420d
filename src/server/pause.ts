/**
 * Waits so many milliseconds, or until the signal comes.
 *
 * @returns when it is over, either way
 */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** By the system's timers, which do not keep the process from ending. */
export const pause: Pause = (milliseconds, signal) => {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    timer.unref();
    signal.addEventListener('abort', end);
  });
};
