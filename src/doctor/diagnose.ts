import { CREDENTIAL_VARIABLES, LOCAL } from '../profiles/profile.ts';
import { checkDatabases } from './databases.ts';
import { checkDirectories } from './directories.ts';
import { checkEmbedded } from './embedded.ts';
import { about, type Finding, guarded } from './finding.ts';
import type { DoctorHost } from './host.ts';
import { checkKeyring } from './keyring.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkMachine } from './machine.ts';
import { checkDefaults, checkProfiles } from './profiles.ts';
import { checkProject } from './project.ts';
import { checkService } from './service.ts';
import { environmentSubjects, type Subject, storedSubjects } from './subject.ts';
import { checkVariables } from './variables.ts';

export interface Scope {
  /** The only profile whose service is asked; all of them, and the environment's, without it. */
  readonly profile: string | undefined;
  /** Whether no service is asked at all. */
  readonly isOffline: boolean;
}

/** Looks at everything; whatever hangs, or fails, is told beside the rest. In a fixed order. */
export async function diagnose(host: DoctorHost, scope: Scope): Promise<readonly Finding[]> {
  const { context, version } = host;
  const { paths, env, redactor } = context;
  for (const name of CREDENTIAL_VARIABLES) redactor.add(env[name]?.trim() ?? '');
  // First what needs no network: a name that nobody answers for can block files as well.
  const machine = await checkMachine(version);
  const files = [
    ...(await checkDirectories(paths)),
    ...(await guarded(about('database'), () => checkDatabases(paths))),
    ...(await guarded(about('leftover'), () => checkLeftovers(paths, context.now()))),
  ];
  const settings = [
    ...(await guarded(about('profile'), () => checkProfiles(host))),
    ...(await guarded(about('default'), () => checkDefaults(host))),
    ...(await guarded(about('project'), () => checkProject(host))),
    ...(await guarded(about('variable'), () => checkVariables(host))),
  ];
  const subjects = scope.isOffline ? [] : await subjectsIn(host, scope);
  const [keyring, embedded, ...services] = await Promise.all([
    guarded(about('keyring'), async () => [await checkKeyring(host)]),
    (scope.profile ?? LOCAL) === LOCAL ? checkEmbedded(host) : [],
    ...subjects.map((subject) => checkService(host, subject)),
  ]);
  return [machine, files, settings, keyring, embedded, ...services].flat();
}

async function subjectsIn({ context }: DoctorHost, { profile }: Scope): Promise<Subject[]> {
  // Where there is no telling, that is told of the profiles.
  const stored = await storedSubjects(context).catch(() => []);
  if (profile !== undefined) return stored.filter(({ name }) => name === profile);
  return [...stored, ...(await environmentSubjects(context))];
}
