import type * as z from 'zod/mini';
import type { FailureCode } from '../../domain/failure.ts';
import type { ErrorDialect } from '../../http/exchange.ts';
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

/**
 * The refusals of the administration: the status that the service gives them, and what they mean to
 * the client. One table for both sides.
 */
export const REASONS = {
  not_found: {
    status: 404,
    code: 'not_found',
    message: 'There is no such thing.',
    hint: 'Check the spelling, and which service, database and namespace it is in.',
  },
  name_taken: {
    status: 409,
    code: 'conflict',
    message: 'There is one of this name already.',
    hint: 'Take another name: a secret cannot be shown again.',
  },
  not_held: {
    status: 409,
    code: 'conflict',
    message: 'Nobody holds it.',
    hint: 'There is nothing to break: it can be acquired, unless it is closed.',
  },
  already_finished: {
    status: 409,
    code: 'conflict',
    message: 'It is already finished.',
    hint: 'Nobody gets it any more.',
  },
  given_up: {
    status: 409,
    code: 'conflict',
    message: 'It was given up: its tries are used up.',
    hint: 'Nobody gets it any more.',
  },
  storage_full: {
    status: 402,
    code: 'limit_exceeded',
    message: 'The namespace stores as many leases as it may.',
    hint: 'Finished ones make room when they are forgotten, seven days after their end.',
  },
  too_many: {
    status: 422,
    code: 'invalid_request',
    message: 'These are too many at once.',
    hint: 'Add them by several calls.',
  },
  invalid_request: {
    status: 422,
    code: 'invalid_request',
    message: 'The request breaks the contract.',
  },
} as const satisfies Record<string, Reason>;

export type ReasonName = keyof typeof REASONS;

const MEANINGS: ErrorDialect['meanings'] = {
  ...REASONS,
  forbidden: {
    code: 'unauthorized',
    hint: 'Take a profile whose token has it, by --profile, or make one: leasectl admin tokens add NAME --scope admin',
  },
  too_large: { code: 'invalid_request', hint: 'Give less at once, e.g. a part of the file.' },
};

export const adminErrors: ErrorDialect = {
  service: 'leasectl',
  meanings: MEANINGS,
  read: (body) => {
    if (!fits(ErrorBody, body)) return undefined;
    const { code, message } = body.error;
    return { reason: code, message: message ?? undefined };
  },
};

/** @param message what is wrong, where that can be told better than by the reason */
export function refuse(name: ReasonName, message: string = REASONS[name].message): HttpAnswer {
  return refused(REASONS[name].status, name, message);
}

/** As every route of the administration does where its handler has no part in it. */
export function refuseFor(
  problem: Problem,
  message: string = PROBLEMS[problem].message,
): HttpAnswer {
  const { status } = PROBLEMS[problem];
  return refused(status, problem, message);
}

function refused(status: number, code: string, message: string): HttpAnswer {
  return json(status, { error: { code, message } });
}

/** The answer to a request in which a value does not fit the schema. */
export async function invalid(schema: z.ZodMiniType, value: unknown): Promise<HttpAnswer> {
  if (value === undefined) return refuse('invalid_request', 'The body is no JSON.');
  const { explainIssues } = await import('../../http/issues.ts');
  const words = explainIssues(schema, value).map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  );
  return refuse('invalid_request', `${words.slice(0, MOST_ISSUES).join('; ')}.`);
}

/** More would be no help. */
const MOST_ISSUES = 10;
