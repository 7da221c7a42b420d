import type { Context } from '../context.ts';
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
  const ask = async (path: string) => {
    const request = { method: 'GET', path, query: new URLSearchParams(), headers: {}, body: '' };
    return (await transport(request, { repeatable: false })).status;
  };
  try {
    const ready = await ask('/readyz');
    return judge(subject, ready, ready === 200 ? ready : await ask('/healthz'));
  } finally {
    await close();
  }
}

function judge({ name, profile }: Subject, ready: number, alive: number): Finding {
  const readiness = about('readiness', name);
  if (ready === 200) return readiness.ok('it takes requests, and its database answers');
  if (alive === 200) {
    const detail = `it runs, but takes no requests (${ready}): its database is away, or it is ending`;
    return readiness.fail(detail, {
      advice: 'See what its log says, and whether its database runs.',
    });
  }
  const detail = `GET /readyz is answered with ${ready}, and /healthz with ${alive}: leasectl serve does not do that`;
  if (profile === undefined) return readiness.fail(detail, { advice: 'Check LEASECTL_URL.' });
  return readiness.fail(detail, command('leasectl', 'profile', 'show', profile));
}
