import type { Bearer } from '../engine/access.ts';

/** What is found out about a request on its way, for its line in the log and for the metrics. */
export interface RequestNotes {
  /** Goes into the answer, too. */
  readonly id: string;
  /** The other end's address. */
  readonly remote?: string | undefined;
  /** The endpoint as the routes name it, e.g. `/jobs/:id/claim`: real paths may hold anything. */
  route?: string;
  bearer?: Bearer;
  /** Whether its connection is to be cut, in place of an answer. */
  isDropped?: boolean;
  /** What was thrown, where the answer is for that, or ends with it. */
  error?: unknown;
  /** From when on its answer went on, by the monotonic clock; only of one that does. */
  streamedSince?: number;
}

/** What a request on a socket brings along for the app. */
export interface Bindings {
  readonly notes?: RequestNotes;
}

/** An answer that was given, or a request that got none. */
export interface Answered {
  readonly notes: RequestNotes;
  /** Undefined where the request could not be read. */
  readonly method: string | undefined;
  /** Undefined where the client was gone before its answer. */
  readonly status: number | undefined;
  /** From when its headers had come; of an answer that goes on, until it began. */
  readonly milliseconds: number;
  /** How long an answer went on that does. */
  readonly streamed?: number | undefined;
  /** The other end's address. */
  readonly remote: string | undefined;
}

/** Long enough for everybody's ids, and nothing that a log or a terminal could mistake. */
const SANE_ID = /^[\w.:/+=@-]{1,128}$/;

/**
 * The id of a request: its own, where it brings a sane one.
 *
 * @param newId makes one
 */
export function requestIdOf(given: string | string[] | undefined, newId: () => string): string {
  return typeof given === 'string' && SANE_ID.test(given) ? given : newId();
}
