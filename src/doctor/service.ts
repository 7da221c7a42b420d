import { Failure } from '../domain/failure.ts';
import { isPrivate } from '../domain/private-url.ts';
import { goThere } from './connection.ts';
import { about, type Finding, guarded } from './finding.ts';
import type { DoctorHost } from './host.ts';
import { checkReadiness } from './readiness.ts';
import { measure } from './round-trips.ts';
import { type Route, routeTo } from './route.ts';
import type { Subject } from './subject.ts';
import { checkToken } from './token.ts';

/**
 * Goes to a service and asks it, step by step: the proxy, the name, the connection, the certificate,
 * the round trip, the clock, whether it is ready where it tells that, the token. What a step that failed makes impossible is left out.
 */
export async function checkService(
  host: DoctorHost,
  subject: Subject,
): Promise<readonly Finding[]> {
  // Where nothing is sent unencrypted: that is told of where the URL comes from.
  if (!isPrivate(subject.url)) return [];
  const { context } = host;
  const proxy = about('proxy', subject.name);
  let route: Route;
  try {
    route = routeTo(subject, context.env, (secret) => context.redactor.add(secret));
  } catch (error) {
    return [proxy.failed(error)];
  }
  const found = [
    ...(route.proxy ? [proxy.ok(route.proxy.url.origin)] : []),
    ...(await goThere(subject, route, { ...host, env: context.env, now: context.now() })),
  ];
  if (found.some(({ status }) => status === 'fail')) return found;
  return [...found, ...(await ask(host, subject))];
}

async function ask(host: DoctorHost, subject: Subject): Promise<readonly Finding[]> {
  const { context } = host;
  let answered: readonly Finding[];
  try {
    answered = await measure(context, subject, host);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [about('round trip', subject.name).failed(error)];
  }
  const ready = await readiness(host, subject);
  const found = [...answered, ...ready];
  if (subject.isTokenUnclear) return [...found, unclear(subject)];
  // A stranger is not to see the token.
  if (subject.ways.length === 0 || ready.some(({ status }) => status === 'fail')) return found;
  const token = await guarded(about('token', subject.name), async () => [
    await checkToken(context, subject, host),
  ]);
  return [...found, ...token];
}

/** Only what leasectl serves tells. */
function readiness(host: DoctorHost, subject: Subject): Promise<readonly Finding[]> {
  return guarded(about('readiness', subject.name), async () =>
    subject.isLeasectl ? [await checkReadiness(host.context, subject, host)] : [],
  );
}

function unclear({ name, url }: Subject): Finding {
  return about('token', name).warn(`not tried: nothing says that it is for ${url.origin} alone`, {
    advice: 'Name the profile that it is for: LEASECTL_PROFILE',
  });
}
