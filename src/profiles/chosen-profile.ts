import { Failure } from '../domain/failure.ts';
import { variable } from './environment.ts';
import { LOCAL, type Profile, SERVICES, serves } from './profile.ts';
import type { Selection, Sourced } from './resolve.ts';
import { otherService } from './resolve-failures.ts';

/** The name of the profile that a command talks to, or `local`. */
export interface Chosen extends Sourced<string> {
  /** Whether the user named it for this very command. */
  readonly isNamed: boolean;
}

/** @returns undefined where nothing chooses one */
export async function chosenProfile(selection: Selection): Promise<Chosen | undefined> {
  const { service, flag, env, profiles, project } = selection;
  if (flag !== undefined) return { value: flag, source: '--profile', isNamed: true };
  const named = variable(env, 'LEASECTL_PROFILE');
  if (named) return { value: named, source: 'LEASECTL_PROFILE', isNamed: true };
  const ofProject = project?.profiles?.[service] ?? project?.profiles?.leasectl;
  if (ofProject && project) {
    // In CI nothing needs to be stored: there the environment says what the profile would.
    const isSaid = env['LEASECTL_URL'] ?? env[SERVICES[service].tokenVariable ?? ''];
    const isKnown = ofProject === LOCAL || (await profiles.names()).includes(ofProject);
    if (isKnown || !isSaid) return { value: ofProject, source: project.file, isNamed: false };
  }
  const chosen = await profiles.defaultOf(service);
  if (chosen === undefined) return undefined;
  return { value: chosen, source: `default of ${service}`, isNamed: false };
}

/** @throws Failure `usage` where there is none of that name, or it is for another service */
export async function profileOf(chosen: Chosen, selection: Selection): Promise<Profile> {
  const { service, profiles, project } = selection;
  const { value: name, source } = chosen;
  if (source === project?.file && !(await profiles.names()).includes(name)) {
    const wanted = project.profiles?.[service] === undefined ? 'leasectl' : service;
    throw new Failure('usage', `There is no profile ${name}, which ${source} names.`, {
      hint: `Make it with leasectl profile add ${name} --service ${wanted}, or name another: --profile NAME`,
    });
  }
  const profile = await profiles.get(name);
  if (serves(profile.service, service)) return profile;
  throw await otherService(name, profile.service, selection);
}
