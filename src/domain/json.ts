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

/** Deeper than anybody nests JSON on purpose, and less than what exhausts a stack. */
export const MAX_DEPTH = 256;

/** Whether a JSON text is nested deeper than {@link MAX_DEPTH}. Takes one pass, whatever the text. */
export function isTooDeep(json: string): boolean {
  if (json.length <= MAX_DEPTH) return false;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (isInString) {
      if (character === '\\') at += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** A text in an object that may have none by this name. */
export function textIn(object: JsonObject | undefined, name: string): string | undefined {
  const text = object?.[name];
  return typeof text === 'string' ? text : undefined;
}
