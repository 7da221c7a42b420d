import type * as z from 'zod/mini';
import { Failure } from '../domain/failure.ts';
import { parseJson } from '../domain/json.ts';
import { readOrdinary } from './bounded-file.ts';
import { readIfPresent } from './private-file.ts';

/**
 * Reads a JSON file that must have a certain form.
 *
 * @param most bytes that it may have; then it must be an ordinary file, too
 * @returns its content, undefined when there is no such file
 * @throws Failure `usage` naming file, line and column when it is broken, or cannot be read
 */
export async function readJsonFile<T>(
  file: string,
  schema: z.ZodMiniType<T>,
  most?: number,
): Promise<T | undefined> {
  const text = await readText(file, most).catch((error: unknown) => {
    if (error instanceof Failure) throw error;
    throw new Failure('usage', `${file} cannot be read (${codeOf(error)}).`, {
      hint: 'Check its rights; it must belong to you.',
      cause: error,
    });
  });
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw await broken(file, text, misfitOf(parsed.error.issues[0]));
}

async function readText(file: string, most: number | undefined): Promise<string | undefined> {
  if (most === undefined) return readIfPresent(file);
  return readOrdinary(file, most, 'Remove it, or write it anew.');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

interface Misfit {
  readonly path: readonly PropertyKey[];
  readonly what: 'an unknown' | 'no usable';
}

function misfitOf(issue: z.core.$ZodIssue | undefined): Misfit {
  const path = issue?.path ?? [];
  return issue?.code === 'unrecognized_keys'
    ? { path: [...path, ...issue.keys.slice(0, 1)], what: 'an unknown' }
    : { path, what: 'no usable' };
}

/** Finds the place of the first mistake; the parser that can tell it is loaded only for that. */
async function broken(file: string, text: string, { path, what: kind }: Misfit): Promise<Failure> {
  const { findNodeAtLocation, parseTree, printParseErrorCode } = await import('jsonc-parser');
  const errors: { error: number; offset: number; length: number }[] = [];
  const tree = parseTree(text, errors, { disallowComments: true });
  const [mistake] = errors;
  const steps = path.map((step) => (typeof step === 'number' ? step : String(step)));
  // A field that is missing has no place of its own: then its parent's is told.
  const places = steps.map((_, index) => steps.slice(0, steps.length - index));
  const node = places.map((place) => tree && findNodeAtLocation(tree, place)).find(Boolean);
  const offset = mistake?.offset ?? node?.offset ?? 0;
  const before = text.slice(0, offset).split('\n');
  const where = `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
  const what = mistake
    ? `is not valid JSON (${printParseErrorCode(mistake.error)})`
    : `has ${kind} "${steps.join('.') || 'content'}"`;
  return new Failure('usage', `${where} ${what}.`, {
    hint: 'Mend that line, or remove the file. It was not changed.',
  });
}
