import { boolean } from '@oclif/core/flags';
import { userNameOf } from '../connect.ts';
import type { Context } from '../context.ts';
import type { JsonObject } from '../domain/json.ts';
import { ORIGIN_FIELD, type Origin } from '../domain/origin.ts';
import type { Environment } from '../profiles/environment.ts';

/** Set to anything, it has the meaning of the flag. */
export const NO_CONTEXT_VARIABLE = 'LEASECTL_NO_CONTEXT';

/** For commands that take a lease. */
export const contextFlags = {
  'no-context': boolean({
    description:
      'Do not note with the lease where it is taken: the host, the user, the process, the repository, the CI run',
  }),
};

/** Where a lease is taken. */
export interface TakenHere {
  /** For this machine alone. */
  readonly noted: Origin;
  /** For everybody; undefined where that is not wanted. */
  readonly told: Origin | undefined;
}

/**
 * Finds out where this is.
 *
 * @param command that takes the lease; what it shows to a service has been read, and is known for secret
 */
export async function takenHere(
  context: Context,
  command: string,
  { 'no-context': isUntold }: { readonly 'no-context': boolean },
): Promise<TakenHere> {
  const { originOf } = await import('./origin.ts');
  const { env, redactor } = context;
  const noted = originOf({
    env,
    command,
    user: userNameOf(env),
    directory: context.presentDirectory(),
    clean: (text) => redactor.clean(text),
  });
  return { noted, told: isUntold || isSetOff(env) ? undefined : noted };
}

function isSetOff(env: Environment): boolean {
  return Boolean(env[NO_CONTEXT_VARIABLE]);
}

/** The metadata of a lease, with where it is taken; what its user says goes first. */
export function withOrigin(
  metadata: JsonObject | undefined,
  { told }: TakenHere,
): { readonly metadata?: JsonObject } {
  const all = { ...(told === undefined ? {} : { [ORIGIN_FIELD]: told }), ...metadata };
  return Object.keys(all).length === 0 ? {} : { metadata: all };
}
