import * as z from 'zod/mini';
import type { Context } from '../context.ts';
import { parseJson } from '../domain/json.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { about, command, type Finding } from './finding.ts';
import { type AskOptions, openTransport } from './round-trips.ts';
import type { Subject } from './subject.ts';

/**
 * Whether what leasectl serves takes requests: that its database can be reached, and is as it should
 * be. It asks for no token for that.
 *
 * @throws Failure when nobody answers
 */
export async function checkReadiness(
  context: Context,
  subject: Subject,
  options: AskOptions,
): Promise<Finding> {
  const { transport, close } = await openTransport(context, subject, options);
  const ask = (path: string) => {
    const request = { method: 'GET', path, query: new URLSearchParams(), headers: {}, body: '' };
    return transport(request, { repeatable: false });
  };
  try {
    const ready = await ask('/readyz');
    if (ready.status === 200) return judge(subject, ready, ready.status);
    return judge(subject, ready, (await ask('/healthz')).status);
  } finally {
    await close();
  }
}

/** What a node says that takes no requests. */
const NotReady = z.object({ status: z.string() });
const WORDS: Readonly<Record<string, string>> = {
  stopping: 'it is ending',
  unavailable: 'its database cannot be used',
};

function judge({ name, profile }: Subject, ready: HttpAnswer, alive: number): Finding {
  const readiness = about('readiness', name);
  if (ready.status === 200) return readiness.ok('it takes requests, and its database answers');
  if (alive === 200) {
    const { data } = NotReady.safeParse(parseJson(ready.body));
    const why = WORDS[data?.status ?? ''] ?? `/readyz is answered with ${ready.status}`;
    const advice = 'See what its log says, and whether its database runs.';
    return readiness.fail(`it runs, but takes no requests: ${why}`, { advice });
  }
  const detail = `GET /readyz is answered with ${ready.status}, and /healthz with ${alive}: leasectl serve does not do that`;
  if (profile === undefined) return readiness.fail(detail, { advice: 'Check LEASECTL_URL.' });
  return readiness.fail(detail, command('leasectl', 'profile', 'show', profile));
}
