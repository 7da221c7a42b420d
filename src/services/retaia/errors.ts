import type { FailureCode } from '../../domain/failure.ts';
import { isJsonObject } from '../../domain/json.ts';
import type { ErrorDialect, Meaning } from '../../http/exchange.ts';
import { json, PROBLEMS, type Problem } from '../../http/route.ts';
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
  UNAUTHORIZED: { ...PROBLEMS.unauthorized, code: 'unauthorized' },
  FORBIDDEN_SCOPE: { ...PROBLEMS.forbidden, code: 'unauthorized' },
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
  return refusal(REASONS[name].status, { code: name, message, details });
}

const NAMES: Readonly<Partial<Record<Problem, ReasonName>>> = {
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN_SCOPE',
};

/** What never gets to an endpoint, in the form of this service's refusals. */
export function refuseProblem(
  problem: Problem,
  message: string = PROBLEMS[problem].message,
): HttpAnswer {
  const { status } = PROBLEMS[problem];
  const code = NAMES[problem] ?? problem.toUpperCase();
  return refusal(status, { code, message, retryable: status === 429 || status === 503 });
}

interface RefusalBody {
  readonly code: string;
  readonly message: string;
  readonly details?: object | undefined;
  readonly retryable?: boolean;
}

function refusal(status: number, { code, message, details, retryable = false }: RefusalBody) {
  return json(status, {
    code,
    message,
    ...(details ? { details } : {}),
    retryable,
    correlation_id: crypto.randomUUID(),
  });
}
