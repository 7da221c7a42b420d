import { isJsonObject } from './domain/json.ts';

/**
 * What proves that one is somebody, or holds something. Not all that `isSecretName` takes for a secret:
 * in our own answers a `client_key` is the name of a file, and has to be shown.
 */
const NAMES = ['lease_id', 'lock_token', 'ack', 'access_token', 'client_secret', 'token'];
/** A shorter one is no secret, and would be found in any text. */
const SHORTEST = 8;

/** The secrets in an answer, or in the elements of a list. What is deeper in it is its user's own. */
export function secretsOf(data: unknown): string[] {
  if (Array.isArray(data)) return data.filter(isJsonObject).flatMap(secretsOf);
  if (!isJsonObject(data)) return [];
  return NAMES.map((name) => data[name]).filter(
    (value): value is string => typeof value === 'string' && value.length >= SHORTEST,
  );
}
