/**
 * Every way in which leasectl can fail, with the exit code that tells it to scripts. This is the
 * only list: commands throw a {@link Failure} with one of these codes and know no numbers.
 * `retryable` says whether the very same command may succeed later.
 */
export const FAILURES = {
  internal: { exit: 1, retryable: false },
  check_failed: { exit: 1, retryable: false },
  usage: { exit: 2, retryable: false },
  not_found: { exit: 3, retryable: false },
  unauthorized: { exit: 4, retryable: false },
  limit_exceeded: { exit: 5, retryable: false },
  invalid_request: { exit: 6, retryable: false },
  conflict: { exit: 7, retryable: false },
  work_failed: { exit: 8, retryable: false },
  pending: { exit: 9, retryable: true },
  wait_timeout: { exit: 10, retryable: true },
  held: { exit: 11, retryable: true },
  none_available: { exit: 12, retryable: true },
  lease_lost: { exit: 14, retryable: false },
  unavailable: { exit: 75, retryable: true },
  bad_response: { exit: 76, retryable: false },
  not_executable: { exit: 126, retryable: false },
  command_not_found: { exit: 127, retryable: false },
} as const;

export type FailureCode = keyof typeof FAILURES;

export interface FailureDetails {
  /** What the user can do next, as a sentence of its own. */
  readonly hint?: string | undefined;
  /** Name of the service that refused, e.g. `onceonly`. */
  readonly service?: string | undefined;
  /** HTTP status of the refusal. */
  readonly status?: number | undefined;
  /** The service's own error code, e.g. `lease_mismatch`. */
  readonly reason?: string | undefined;
  /** Set where a request left for the service and no answer says what became of it. */
  readonly outcomeUnknown?: boolean | undefined;
  readonly cause?: unknown;
}

/** An expected failure: what happened (`message`), of which kind (`code`), and what to do (`hint`). */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly service: string | undefined;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly outcomeUnknown: boolean;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.service = details.service;
    this.status = details.status;
    this.reason = details.reason;
    this.outcomeUnknown = details.outcomeUnknown ?? false;
  }
}
