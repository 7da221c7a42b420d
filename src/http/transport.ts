/** One HTTP request, as plain values: a socket, or the embedded service, may carry it. */
export interface HttpRequest {
  /** In capital letters. */
  readonly method: string;
  /** Below the base URL, e.g. `/v1/ai/status`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * In the place of a body, where events were asked for and they come: their text, piece by piece.
   * Whoever does not read it to its end lets the signal come that it was asked for with.
   */
  readonly stream?: AsyncIterable<string>;
}

export interface SendOptions {
  /** Whether sending the same request twice does no more than sending it once. */
  readonly repeatable: boolean;
  /** Which part of the time that a command has this call may take. Default: all of it. */
  readonly share?: number;
  /** What the whole call may take, in milliseconds. Default: what a command has. */
  readonly timeout?: number;
  /**
   * Asks for events, which may come for ever, until this signal. The call is over when they begin to
   * come, and it makes one attempt. An answer that is none of events comes as every other does.
   */
  readonly until?: AbortSignal;
}

/**
 * Carries a request to a service and its answer back, whatever its status.
 *
 * @throws Failure `unavailable` when no answer came; its `outcomeUnknown` tells whether the service
 *   may have received the request.
 */
export type Transport = (request: HttpRequest, options: SendOptions) => Promise<HttpAnswer>;

/**
 * By this header of any answer a service says that the repetition of an acquisition, with the same
 * `Idempotency-Key`, is answered as the first time. The embedded one does.
 */
export const KNOWS_ACQUISITIONS = 'leasectl-knows-acquisitions';

/** A request as it leaves. */
export interface TracedRequest extends Pick<HttpRequest, 'method' | 'headers' | 'body'> {
  readonly url: URL;
  /** Counted from 1, which is the default. */
  readonly attempt?: number;
}

/** Told of each attempt before it leaves; what it returns is told how that ended. */
export type Trace = (request: TracedRequest) => (outcome: HttpAnswer | Error) => void;
