import type { JsonObject } from './json.ts';

/** Lowercase hex SHA-256 of the canonical JSON (RFC 8785): the same for every order of the fields. */
export async function digestOf(value: JsonObject): Promise<string> {
  const [{ createHash }, { default: canonicalize }] = await Promise.all([
    import('node:crypto'),
    import('canonicalize'),
  ]);
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}
