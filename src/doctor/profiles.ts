import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isPrivate } from '../domain/private-url.ts';
import {
  type Credential,
  LOCAL,
  type Profile,
  SERVICE_NAMES,
  type ServiceName,
  secretOf,
  serves,
  storeWith,
} from '../profiles/profile.ts';
import { needsToken, networkOf } from '../profiles/resolve.ts';
import { sourceOf } from '../secrets/secret-store.ts';
import { timeLeft } from './certificate.ts';
import { type About, about, command, type Finding, guarded } from './finding.ts';
import type { DoctorHost } from './host.ts';
import { rightsProblems } from './rights.ts';

/** Whether each profile can be read, and by nobody else, and whether it holds what belongs together. */
export async function checkProfiles(host: DoctorHost): Promise<Finding[]> {
  const names = await host.context.profiles.names();
  const found = names.map((name) => {
    const subject = about('profile', name);
    return guarded(subject, () => checkProfile(host, subject, name));
  });
  return (await Promise.all(found)).flat();
}

async function checkProfile(host: DoctorHost, subject: About, name: string): Promise<Finding[]> {
  const { profiles, paths, env } = host.context;
  const file = join(paths.config, 'profiles', `${name}.json`);
  const profile = await profiles.get(name);
  const secret = secretOf(profile.credential);
  const problems = [
    ...rightsProblems(subject, file, statSync(file), 0o600, typeof secret === 'string'),
    ...urlProblems(subject, name, profile),
    ...(await filesProblems(subject, profile, env['NODE_EXTRA_CA_CERTS'], host.context.now())),
    ...(await secretProblems(host, subject, name, profile)),
  ];
  if (problems.length > 0) return problems;
  const where = secret === undefined ? 'no token' : `token: ${WORDS[sourceOf(secret)]}`;
  return [subject.ok(`${profile.service} at ${profile.url}, ${where}`)];
}

const WORDS = {
  file: 'in its file',
  keyring: 'in the keyring',
  command: 'by its command',
} as const;

function urlProblems(subject: About, name: string, { url, credential }: Profile): Finding[] {
  const target = new URL(url);
  if (!isPrivate(target)) {
    const edit = command(
      'leasectl',
      'profile',
      'edit',
      name,
      '--url',
      url.replace(/^http:/, 'https:'),
    );
    return [subject.fail(`nothing is sent to ${url} unencrypted`, edit)];
  }
  if (credential && credential.origin !== target.origin) {
    const detail = `its token is for ${credential.origin}, and is not sent to ${target.origin}`;
    return [subject.fail(detail, storing(name, credential.type))];
  }
  return [];
}

async function secretProblems(
  { context, timeout }: DoctorHost,
  subject: About,
  name: string,
  { service, url, credential }: Profile,
): Promise<readonly Finding[]> {
  const secret = secretOf(credential);
  if (secret === undefined) {
    if (!needsToken(service, new URL(url), credential?.type)) return [];
    return [subject.warn('it has no token of its own', storing(name, credential?.type))];
  }
  // A command may ask a service, or a person: it is run where its token is needed.
  if (typeof secret !== 'string' && 'command' in secret) return [];
  return guarded(subject, async () => {
    await context.readSecret({ stored: secret, profile: name }, timeout);
    return [];
  });
}

/** What stores another secret. */
export function storing(name: string, type: Credential['type'] | undefined) {
  return command(...storeWith(name, type).split(' '));
}

async function filesProblems(
  subject: About,
  profile: Profile,
  extra: string | undefined,
  now: number,
): Promise<readonly Finding[]> {
  const files = networkOf(profile);
  if (!Object.values(files).some(Boolean)) return [];
  return guarded(subject, async () => {
    const { createTlsContexts } = await import('../http/tls-files.ts');
    createTlsContexts(files, extra);
    const { keyFile, certFile } = files;
    const key = keyFile ? rightsProblems(subject, keyFile, statSync(keyFile), 0o600, true) : [];
    return certFile ? [...key, ...(await endProblems(subject, certFile, now))] : key;
  });
}

async function endProblems(subject: About, file: string, now: number): Promise<Finding[]> {
  const { endOf } = await import('../http/tls-files.ts');
  const { isOver, isSoon, words, measured } = timeLeft(endOf(file), now);
  const detail = `${file} ${words}`;
  const renew = { advice: 'Have another one made by whoever runs the service.' };
  if (isOver) return [subject.fail(detail, renew, measured)];
  return isSoon ? [subject.warn(detail, renew, measured)] : [];
}

/** Whether the services' defaults are there, and for them. */
export async function checkDefaults(host: DoctorHost): Promise<Finding[]> {
  const found = SERVICE_NAMES.map((service) => {
    const subject = about('default', service);
    return guarded(subject, () => checkDefault(host, subject, service));
  });
  return (await Promise.all(found)).flat();
}

async function checkDefault(
  { context: { profiles } }: DoctorHost,
  subject: About,
  service: ServiceName,
): Promise<Finding[]> {
  const name = await profiles.defaultOf(service);
  if (name === LOCAL) return [subject.ok(LOCAL)];
  const first = await profiles.firstOf(service);
  const mend = command('leasectl', 'profile', 'use', first ?? LOCAL);
  if (name === undefined) {
    return first === undefined
      ? [subject.ok(`${LOCAL}: none was chosen`)]
      : [subject.fail('there are profiles, but none was chosen', mend)];
  }
  if (!(await profiles.names()).includes(name)) {
    return [subject.fail(`there is no profile ${name}`, mend)];
  }
  // One that is broken is told of as a profile.
  const actual = await profiles.get(name).catch(() => undefined);
  if (actual && !serves(actual.service, service)) {
    return [subject.fail(`profile ${name} is for ${actual.service}`, mend)];
  }
  return [subject.ok(name)];
}
