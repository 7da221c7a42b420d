import type { FailureCode } from '../../domain/failure.ts';
import type { Rejection } from '../../engine/command.ts';
import type { ErrorDialect, Refusal } from '../../http/exchange.ts';
import { json, PROBLEMS, type Problem } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { validationWords } from '../../http/validation.ts';
import { ErrorBody } from './wire.ts';

interface Reason {
  readonly status: number;
  readonly code: FailureCode;
  readonly message: string;
  /** What the user of the client can do. */
  readonly hint?: string;
}

/**
 * OnceOnly's refusals: the status that the embedded service gives them, and what they mean to the
 * client. One table for both sides.
 */
export const REASONS = {
  invalid_api_key: {
    status: 401,
    code: 'unauthorized',
    message: PROBLEMS.unauthorized.message,
  },
  forbidden: { status: 403, code: 'unauthorized', message: PROBLEMS.forbidden.message },
  not_found: {
    status: 404,
    code: 'not_found',
    message: 'Nothing is known of this key.',
    hint: 'It was never leased there, or is forgotten: check the spelling and the --profile.',
  },
  lease_mismatch: {
    status: 409,
    code: 'lease_lost',
    message: 'This lease_id does not hold the key.',
  },
  lease_expired: { status: 409, code: 'lease_lost', message: 'The lease ran out.' },
  already_finished: {
    status: 409,
    code: 'conflict',
    message: 'The lease was already finished in another way.',
  },
  idempotency_conflict: {
    status: 409,
    code: 'conflict',
    message: 'This Idempotency-Key acquired a lease with another request.',
  },
  limit_exceeded: {
    status: 402,
    code: 'limit_exceeded',
    message: 'No acquisitions are left this month.',
  },
  storage_full: {
    status: 402,
    code: 'limit_exceeded',
    message: 'As many keys are stored as may be.',
    hint: 'Finished ones make room when they are forgotten, seven days after their end.',
  },
  feature_not_available: {
    status: 403,
    code: 'unauthorized',
    message: 'This service runs no tools; it only leases keys.',
    hint: 'Name the profile of a service that does, with --profile.',
  },
} as const satisfies Record<string, Reason>;

export type ReasonName = keyof typeof REASONS;

/** The others are for work that is added, which keys are not. */
export const REASON_OF_REJECTION: Readonly<Partial<Record<Rejection, ReasonName>>> = {
  unknown: 'not_found',
  wrong_handle: 'lease_mismatch',
  expired: 'lease_expired',
  already_finished: 'already_finished',
  idempotency_conflict: 'idempotency_conflict',
  limit_exceeded: 'limit_exceeded',
  storage_full: 'storage_full',
};

export const onceOnlyErrors: ErrorDialect = {
  service: 'onceonly',
  meanings: REASONS,
  read: readError,
};

function readError(body: unknown): Refusal | undefined {
  if (!fits(ErrorBody, body)) return undefined;
  const { detail } = body;
  if (typeof detail === 'string') return { message: detail };
  if (!Array.isArray(detail)) return { reason: detail.error, message: detail.message };
  return { message: validationWords(detail) };
}

export function refuse(name: ReasonName): HttpAnswer {
  const { status, message } = REASONS[name];
  return json(status, { detail: { error: name, message } });
}

const NAMES: Readonly<Partial<Record<Problem, string>>> = {
  unauthorized: 'invalid_api_key',
};

/** What never gets to an endpoint, in the form of this service's refusals. */
export function refuseProblem(
  problem: Problem,
  message: string = PROBLEMS[problem].message,
): HttpAnswer {
  const { status } = PROBLEMS[problem];
  return json(status, { detail: { error: NAMES[problem] ?? problem, message } });
}
