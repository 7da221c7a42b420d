import { Failure } from './domain/failure.ts';
import { isJsonObject, type JsonObject, parseJson } from './domain/json.ts';
import type { Redactor } from './domain/redactor.ts';
import type { Terminal } from './terminal/terminal.ts';

/** A handle that does not come from this machine's ledger. */
export interface GivenHandle {
  readonly handle: string;
  /** What stood beside it, where it came in a service's own answer. */
  readonly answer: JsonObject;
}

export interface HandleSource {
  /** The flag that says that it comes on stdin, and whether it was given. */
  readonly stdinFlag: string;
  readonly isOnStdin: boolean | undefined;
  readonly file: string | undefined;
  /** The field that holds it in the service's answer. */
  readonly field: string;
}

/**
 * Reads a handle that was given by a flag: alone, or as a service's whole answer in JSON. As an
 * argument it would stand in the process list.
 *
 * @returns undefined when none was given
 * @throws Failure `usage` when there is no handle in what was given
 */
export async function readGivenHandle(
  { stdinFlag, isOnStdin, file, field }: HandleSource,
  { terminal, redactor }: { readonly terminal: Terminal; readonly redactor: Redactor },
): Promise<GivenHandle | undefined> {
  if (!isOnStdin && file === undefined) return undefined;
  if (isOnStdin && terminal.isInteractive('stdin')) {
    throw new Failure('usage', `${stdinFlag} would show the handle while you type it.`, {
      hint: 'Give it in a pipe, or in a file with --handle-file FILE.',
    });
  }
  const flag = isOnStdin ? stdinFlag : '--handle-file';
  const text = isOnStdin
    ? await terminal.readStdin(flag)
    : await terminal.readValue(file === '-' ? '-' : `@${file}`, flag);
  return handleIn(text, field, flag, redactor);
}

/**
 * The handle in a text: the whole of it, or a field of the service's answer in JSON. What is neither
 * must not be sent: it may be anything, e.g. another service's handle.
 *
 * @throws Failure `usage` when there is none
 */
export function handleIn(
  text: string,
  field: string,
  flag: string,
  redactor: Redactor,
): GivenHandle {
  const parsed = parseJson(text);
  const answer = isJsonObject(parsed) ? parsed : {};
  const found = isJsonObject(parsed) ? parsed[field] : text.trim();
  if (typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) {
    return { handle: redactor.add(found), answer };
  }
  throw new Failure('usage', `${flag} holds no ${field}.`, {
    hint: `Give the ${field} alone on one line, or the JSON answer that it came in.`,
  });
}
