import { json, PROBLEMS, type Problem } from '../http/route.ts';
import type { HttpAnswer } from '../http/transport.ts';

/** How endpoints refuse that are of no dialect. */
export function refuseProblem(
  problem: Problem,
  message: string = PROBLEMS[problem].message,
): HttpAnswer {
  const { status } = PROBLEMS[problem];
  return json(status, { detail: { error: problem, message } });
}
