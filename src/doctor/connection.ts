import type { Socket } from 'node:net';
import { Failure } from '../domain/failure.ts';
import { ProxyError, systemCode } from '../http/connection-failure.ts';
import type { Environment } from '../profiles/resolve.ts';
import { judgeCertificate, noTls } from './certificate.ts';
import { about, command, type Finding, type Mend } from './finding.ts';
import { lookUp } from './name-lookup.ts';
import { openConnection, type Route, readCertificate } from './route.ts';
import type { Subject } from './subject.ts';

export interface ReachOptions {
  readonly env: Environment;
  /** What each step may take, in milliseconds. */
  readonly timeout: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Goes the way to a service, step by step, as far as it leads: the name, the connection, and the
 * certificate. Nothing is asked there.
 */
export async function goThere(
  subject: Subject,
  route: Route,
  options: ReachOptions,
): Promise<Finding[]> {
  const dns = about('dns', subject.name);
  const found = await lookUp(route.host, options);
  if ('code' in found) {
    const detail = `${route.host}: ${wordsFor(found.code)}`;
    return [dns.fail(detail, check(subject, route))];
  }
  const { addresses, took } = found;
  const shown = addresses.map(({ address }) => address).join(', ');
  const named =
    shown === route.host ? [] : [dns.ok(`${route.host} is ${shown}`, { took_ms: took })];
  return [...named, ...(await connectThere(subject, route, addresses, options))];
}

async function connectThere(
  subject: Subject,
  route: Route,
  addresses: Parameters<typeof openConnection>[1],
  options: ReachOptions,
): Promise<Finding[]> {
  const connection = about('connection', subject.name);
  const begun = performance.now();
  let socket: Socket;
  try {
    socket = await openConnection(route, addresses, AbortSignal.timeout(options.timeout));
  } catch (error) {
    const detail = `${placeOf(route)}: ${wordsFor(codeOf(error))}`;
    return [connection.fail(detail, check(subject, route))];
  }
  const took = performance.now() - begun;
  const connected = connection.ok(`${placeOf(route)} in ${took.toFixed(1)} ms`, { took_ms: took });
  if (route.url.protocol === 'https:') {
    return [connected, await lookAtCertificate(subject, route, socket, options)];
  }
  socket.destroy();
  return [connected];
}

async function lookAtCertificate(
  subject: Subject,
  route: Route,
  socket: Socket,
  { timeout, now }: ReachOptions,
): Promise<Finding> {
  try {
    const shown = await readCertificate(route, socket, AbortSignal.timeout(timeout));
    return judgeCertificate(subject, shown, now);
  } catch (error) {
    socket.destroy();
    return noTls(subject, wordsFor(codeOf(error)));
  }
}

function placeOf({ url, host, port, proxy }: Route): string {
  const authority = `${host}:${port}`;
  return proxy ? `${url.host} through ${authority}` : authority;
}

/** What says where that is. */
function check({ profile }: Subject, { proxy }: Route): Mend {
  if (proxy) return { advice: 'Check HTTPS_PROXY; NO_PROXY names the hosts that need none.' };
  if (profile === undefined) return { advice: 'Check LEASECTL_URL, and the network.' };
  return command('leasectl', 'profile', 'show', profile);
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'no name server answers',
  ETIMEDOUT: 'no answer in time',
  ABORT_ERR: 'no answer in time',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'broken off',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
};

function wordsFor(code: string): string {
  const words = WORDS[code];
  return words === undefined ? code : `${words} (${code})`;
}

/** @throws what has no code: a bug is to look like one */
function codeOf(error: unknown): string {
  if (error instanceof ProxyError && error.status !== undefined) return `HTTP ${error.status}`;
  const why = error instanceof ProxyError ? error.cause : error;
  const isLate = why instanceof Error && /^(Timeout|Abort)Error$/.test(why.name);
  const code = isLate ? 'ETIMEDOUT' : systemCode(error);
  if (code === undefined || error instanceof Failure) throw error;
  return code;
}
