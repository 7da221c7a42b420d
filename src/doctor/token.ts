import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { HostedTarget } from '../profiles/resolve.ts';
import { sourceOf } from '../secrets/secret-store.ts';
import { about, type Finding } from './finding.ts';
import { storing } from './profiles.ts';
import type { AskOptions } from './round-trips.ts';
import type { Subject, Way } from './subject.ts';

/**
 * Whether the service takes the token, by a request that changes nothing there. Where nothing says
 * which service it is, one of them has to.
 */
export async function checkToken(
  context: Context,
  subject: Subject,
  options: AskOptions,
): Promise<Finding> {
  const results = await Promise.all(
    subject.ways.map((way) => tryWay(context, subject, way, options)),
  );
  const statuses = ['ok', 'warn'] as const;
  const good = statuses.flatMap((status) => results.filter((found) => found.status === status));
  const [told] = results.length === 1 ? results : good;
  if (told) return told;
  const details = results.map(({ detail }) => detail).join(' ');
  return about('token', subject.name).fail(`no service that leasectl knows takes it: ${details}`, {
    advice: 'Check the URL and the token; a profile says which service it is: leasectl profile add',
  });
}

async function tryWay(
  context: Context,
  { name, profile, url, network }: Subject,
  { service, secret, authentication }: Way,
  options: AskOptions,
): Promise<Finding> {
  const token = about('token', name);
  const target: HostedTarget = {
    type: 'hosted',
    profile: name,
    service,
    url,
    secret,
    authentication,
    network,
  };
  try {
    const { tryTarget } = await import('../trial.ts');
    const { words, restriction } = await tryTarget(context, target, service, options);
    if (restriction === undefined) return token.ok(`${words} (${service})`);
    return token.warn(`${words} (${service}), but: ${restriction}`);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'unauthorized') return token.failed(error);
    // What a command prints is stored nowhere, and what is given in a variable neither.
    const isStored = 'stored' in secret && sourceOf(secret.stored) !== 'command';
    const mend =
      profile !== undefined && isStored ? storing(profile, authentication.type) : undefined;
    const { detail, mend: hint } = token.failed(error);
    return token.fail(`${url.origin} does not take it: ${detail}`, mend ?? hint);
  }
}
