import type { FailureCode } from '../../domain/failure.ts';
import { isJsonObject } from '../../domain/json.ts';
import type { ErrorDialect, Meaning } from '../../http/exchange.ts';
import { json } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { ErrorBody } from './wire.ts';

interface Reason {
  readonly status: number;
  readonly code: FailureCode;
  readonly message: string;
  /** What the user of the client can do. */
  readonly hint?: string;
}

const STOP = 'Stop what relied on it. See whether it can be claimed again: leasectl jobs list';

/**
 * Retaia's refusals: the status that the embedded service gives them, and what they mean to the
 * client. One table for both sides.
 */
export const REASONS = {
  UNAUTHORIZED: { status: 401, code: 'unauthorized', message: 'The access token is not known.' },
  FORBIDDEN_SCOPE: {
    status: 403,
    code: 'unauthorized',
    message: 'The access token is not for this.',
  },
  STATE_CONFLICT: {
    status: 409,
    code: 'conflict',
    message: 'The job is held, finished or not known.',
    hint: 'See those that can be claimed: leasectl jobs list',
  },
  LOCK_REQUIRED: {
    status: 423,
    code: 'lease_lost',
    message: 'A lock_token is needed.',
    hint: STOP,
  },
  LOCK_INVALID: {
    status: 423,
    code: 'lease_lost',
    message: 'There is no live lease on the job.',
    hint: STOP,
  },
  STALE_LOCK_TOKEN: {
    status: 409,
    code: 'lease_lost',
    message: 'Another lease on the job is in force.',
    hint: STOP,
  },
  MISSING_IDEMPOTENCY_KEY: {
    status: 400,
    code: 'invalid_request',
    message: 'An Idempotency-Key is needed.',
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    code: 'conflict',
    message: 'This Idempotency-Key was used for another request.',
    hint: 'Repeat the first request as it was, or give another --idempotency-key.',
  },
  VALIDATION_FAILED: {
    status: 422,
    code: 'invalid_request',
    message: 'The request breaks the contract.',
  },
} as const satisfies Record<string, Reason>;

export type ReasonName = keyof typeof REASONS;

/** A conflict of which the service tells that it will pass. */
const HELD: Meaning = {
  code: 'held',
  hint: 'Try again later, or take another one: leasectl jobs claim --next',
};

export const retaiaErrors: ErrorDialect = {
  service: 'retaia',
  meanings: REASONS,
  read: (body) => {
    if (!fits(ErrorBody, body)) return undefined;
    const { code, message, details } = body;
    if (!code && !message) return undefined;
    const state = isJsonObject(details) ? details['state'] : undefined;
    const isHeld = code === 'STATE_CONFLICT' && state === 'claimed';
    return {
      reason: code ?? undefined,
      message: message ?? undefined,
      meaning: isHeld ? HELD : undefined,
    };
  },
};

/** @param message what is wrong, where that can be told better than by the reason */
export function refuse(
  name: ReasonName,
  message: string = REASONS[name].message,
  details?: object,
): HttpAnswer {
  return json(REASONS[name].status, {
    code: name,
    message,
    ...(details ? { details } : {}),
    retryable: false,
    correlation_id: crypto.randomUUID(),
  });
}
