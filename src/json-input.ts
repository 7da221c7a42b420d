import { Failure } from './domain/failure.ts';
import { isJsonObject, isTooDeep, type JsonObject, MAX_DEPTH, parseJson } from './domain/json.ts';

/**
 * Reads a JSON object that somebody wrote by hand or with a program.
 *
 * @param where what the text came from, for the message
 * @throws Failure `usage` for anything but an object, and for numbers that JSON cannot carry
 */
export function parseObject(text: string, where: string): JsonObject {
  if (isTooDeep(text)) {
    throw new Failure('usage', `${where} is nested deeper than ${MAX_DEPTH} levels.`, {
      hint: 'Put the inner part into a string.',
    });
  }
  const parsed = parseJson(text);
  const inexact = parsed === undefined ? undefined : inexactNumber(text);
  if (inexact !== undefined) {
    throw new Failure('usage', `${where}: ${inexact} is not exact as a JSON number.`, {
      hint: 'Write it as a string, in quotes.',
    });
  }
  if (isJsonObject(parsed)) return parsed;
  const what = parsed === undefined ? 'is not valid JSON' : 'is not a JSON object';
  throw new Failure('usage', `${where} ${what}.`, {
    hint: 'Give an object like {"status": "ok"}, @FILE to read a file, or - to read stdin.',
  });
}

/** The first number in a JSON text that would not arrive as it is written, e.g. a 64-bit id. */
function inexactNumber(json: string): string | undefined {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g) ?? [];
  return tokens.find((token) => {
    if (token.startsWith('"')) return false;
    const value = Number(token);
    return !Number.isFinite(value) || (/^-?\d+$/.test(token) && BigInt(token) !== BigInt(value));
  });
}
