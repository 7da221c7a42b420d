import { isJsonObject } from '../domain/json.ts';
import { isSecretName } from './secret-names.ts';

/** A shorter one is no secret, and would be found in any text. */
const SHORTEST = 8;

/**
 * The texts that stand in JSON under names of secrets, however deep.
 *
 * @param value no deeper than anybody nests on purpose
 */
export function namedSecrets(value: unknown, isSecret = false): string[] {
  if (typeof value === 'string') return isSecret && value.length >= SHORTEST ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => namedSecrets(item, isSecret));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    namedSecrets(item, isSecret || isSecretName(name)),
  );
}
