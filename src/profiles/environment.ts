import { Failure } from '../domain/failure.ts';
import { LOCAL, SERVICE_NAMES, type ServiceName, serves } from './profile.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Failure `usage` when it is set, but empty: the secret is missing that was to fill it */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  if (value?.trim() !== '') return value;
  throw new Failure('usage', `${name} is set, but empty.`, {
    hint: `Is a secret missing that was to fill it? Else unset it; for the embedded service: --profile ${LOCAL}`,
  });
}

/**
 * The service that is at `LEASECTL_URL`, where `LEASECTL_SERVICE` says it.
 *
 * @throws Failure `usage` for one that there is not, and where it says that of no URL
 */
export function serviceInEnv(env: Environment): ServiceName | undefined {
  const value = variable(env, 'LEASECTL_SERVICE');
  const service = SERVICE_NAMES.find((name) => name === value);
  if (value !== undefined && !service) {
    throw new Failure('usage', `LEASECTL_SERVICE is no service: ${JSON.stringify(value)}.`, {
      hint: `It is ${SERVICE_NAMES.slice(0, -1).join(', ')} or ${SERVICE_NAMES.at(-1)}.`,
    });
  }
  if (service && !variable(env, 'LEASECTL_URL')) {
    throw new Failure('usage', 'LEASECTL_SERVICE is set, but LEASECTL_URL is not.', {
      hint: 'It says which service is at that URL: set both, or none of them.',
    });
  }
  return service;
}

/** @throws Failure `usage` when another service is there than a command is for */
export function assertServed(commands: ServiceName, actual: ServiceName): void {
  if (serves(actual, commands)) return;
  throw new Failure('usage', `LEASECTL_SERVICE is ${actual}; this is a command for ${commands}.`, {
    hint: 'Name a profile for it, or another LEASECTL_SERVICE with its LEASECTL_URL.',
    service: commands,
  });
}
