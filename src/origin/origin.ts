import { hostname } from 'node:os';
import { type Origin, parseOrigin } from '../domain/origin.ts';
import { redactWords } from '../http/redaction.ts';
import { isSecretName } from '../http/secret-names.ts';
import type { Environment } from '../profiles/environment.ts';
import { ciStep } from './ci.ts';
import { thisProcess } from './process-state.ts';
import { repositoryOf } from './repository.ts';

export interface OriginSource {
  readonly env: Environment;
  readonly user: string;
  /** The command that takes the lease. */
  readonly command: string;
  /** The one that it runs in; undefined where that is gone. */
  readonly directory: string | undefined;
  /** Takes the secrets of this run out of a text. */
  readonly clean: (text: string) => string;
}

/**
 * Where a lease is taken. It is told to whoever may look at the lease: of what is set in variables and
 * files nothing gets in that could be a secret.
 */
export function originOf({ env, user, command, directory, clean }: OriginSource): Origin {
  const step = ciStep(env);
  const repository = directory === undefined ? undefined : readable(directory);
  const told = {
    host: hostname(),
    user,
    repository: repository?.repository ?? step?.repository,
    commit: repository?.commit ?? step?.commit,
  };
  // To look through the environment itself takes long.
  const variables = Object.entries(env);
  const harmless = (texts: object) =>
    Object.fromEntries(
      Object.entries(texts).flatMap(([name, text]) =>
        typeof text !== 'string' || hasSecret(text, variables)
          ? []
          : [[name, cleaned(text, clean)]],
      ),
    );
  const where = { ...thisProcess(), command };
  return parseOrigin({ ...harmless(told), ...where, ci: harmless(step?.ci ?? {}) }) ?? {};
}

function readable(directory: string) {
  try {
    return repositoryOf(directory);
  } catch {
    return undefined;
  }
}

/** Whether a part of a text is what some variable has that is named like a secret. */
function hasSecret(text: string, variables: readonly Variable[]): boolean {
  const bare = decoded(text);
  return variables.some(([name, value = '']) => {
    const isIn = value.length >= SHORTEST && (text.includes(value) || bare.includes(value));
    return isIn && isSecretName(name);
  });
}

type Variable = readonly [name: string, value: string | undefined];

/** In characters. A shorter one could be in any text. */
const SHORTEST = 8;

/** What may stand between a secret and what tells that it is one: most texts have none of it. */
const TELLING = /[=@<\s]|:(?!\/\/)/;

function cleaned(text: string, clean: OriginSource['clean']): string {
  return TELLING.test(text) ? redactWords(text, clean) : clean(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
