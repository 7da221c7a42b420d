import type { ErrorDialect, Meaning } from '../../http/exchange.ts';
import { json, PROBLEMS, type Problem } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { validationWords } from '../../http/validation.ts';
import { ErrorBody } from './wire.ts';

export const askUiErrors: ErrorDialect = {
  service: 'askui',
  meanings: {},
  read: (body) => {
    if (!fits(ErrorBody, body)) return undefined;
    const { detail } = body;
    return { message: typeof detail === 'string' ? detail : validationWords(detail) };
  },
};

const LOST: Meaning = {
  code: 'lease_lost',
  hint: 'Stop what relied on it: another runner may have the job by now.',
};

/** What a refusal of an `ack` means, however the service words it. */
export const LOST_STATUSES: Readonly<Record<number, Meaning>> = { 404: LOST, 409: LOST, 422: LOST };

/** What never gets to an endpoint, in the form of this service's refusals. */
export function refuseProblem(
  problem: Problem,
  message: string = PROBLEMS[problem].message,
): HttpAnswer {
  const { status } = PROBLEMS[problem];
  return json(status, { detail: message });
}
