import type { JsonObject } from '../domain/json.ts';
import { later, type Moment } from './moment.ts';

/** What a service granted: time, from when it was asked. */
export interface Grant {
  /** When the request left. */
  readonly sentAt: Moment;
  /** Milliseconds. */
  readonly duration: number;
  /** Whether the service wants the work to be stopped. */
  readonly isCanceled?: boolean;
}

/** How the work under a lease ended. */
export type Ending =
  | { readonly way: 'done'; readonly result: JsonObject | undefined }
  /** @property code for the service, e.g. `exit:3`; `exit` the same as a shell counts it */
  | { readonly way: 'failed'; readonly code: string; readonly exit: number }
  | { readonly way: 'canceled'; readonly reason: string };

/** A lease that is held, whichever service gave it. */
export interface Lease {
  readonly granted: Grant;
  /**
   * Asks for more time.
   *
   * @param limit milliseconds that the call may take
   * @throws Failure `lease_lost`, `not_found` or `conflict` when the lease is gone
   */
  renew(limit: number): Promise<Grant>;
  /**
   * Gives the lease back, with how the work ended. May be called again when no answer came: it is
   * then the same request.
   *
   * @throws Failure
   */
  end(ending: Ending, limit: number): Promise<void>;
}

/** When what has to happen to a lease, as long as it is not renewed. */
export interface Timetable {
  readonly renewAt: Moment;
  /** When the work has to be told to stop, so that it has its grace. */
  readonly stopAt: Moment;
  /** The last moment at which the lease is certainly ours. */
  readonly deadline: Moment;
  /** Milliseconds from `stopAt` to `deadline`. */
  readonly grace: number;
}

/**
 * @param grace milliseconds that the work may take to stop; a third of the lease's time at most, for
 *   there has to be time to renew, and to try again
 * @param jitter from 0 up to 1
 */
export function timetableOf({ sentAt, duration }: Grant, grace: number, jitter: number): Timetable {
  const deadline = duration - marginOf(duration);
  const most = Math.min(grace, duration / 3);
  return {
    renewAt: later(sentAt, (duration / 3) * (1 - jitter / 10)),
    stopAt: later(sentAt, deadline - most),
    deadline: later(sentAt, deadline),
    grace: most,
  };
}

/**
 * For clocks that do not run alike, and for what comes late on a machine that is busy: a twentieth
 * of the lease's time, from a quarter of a second, as far as there is so much, to five.
 */
function marginOf(duration: number): number {
  return Math.min(duration / 8, Math.min(5_000, Math.max(250, duration / 20)));
}
