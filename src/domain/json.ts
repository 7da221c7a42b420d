/** A JSON object, as parsed. Its values are foreign data: look before use. */
export type JsonObject = { readonly [name: string]: unknown };

/** What a text says as JSON; undefined, which JSON cannot say, when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
