import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from './domain/failure.ts';

/**
 * Makes sure that a command can be run, as far as that can be told before it is.
 *
 * @param file a path, or a name to be looked for in `path`
 * @param path the PATH variable
 * @throws Failure `command_not_found` or `not_executable`
 */
export function assertRunnable(file: string, path = ''): void {
  const isPath = file.includes('/');
  const candidates = isPath
    ? [file]
    : path.split(delimiter).map((directory) => join(directory || '.', file));
  let isThere = false;
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) {
        assertInterpreter(candidate);
        return;
      }
      isThere ||= isPath;
    } catch (error) {
      if (error instanceof Failure) throw error;
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      isThere ||= code !== 'ENOENT' && code !== 'ENOTDIR';
    }
  }
  throw isThere ? notExecutable(file) : commandNotFound(file);
}

/** What the system looks at of a script's first line, in bytes. */
const FIRST_LINE = 256;

/** A script whose first line ends as Windows ends lines has an interpreter that is not there. */
function assertInterpreter(file: string): void {
  const [, interpreter] = /^#! *([^ \t\n\0]+)/.exec(beginOf(file)) ?? [];
  if (interpreter === undefined || existsSync(interpreter)) return;
  throw new Failure(
    'not_executable',
    `${JSON.stringify(file)} needs ${JSON.stringify(interpreter)}, which is not there.`,
    { hint: 'Correct its first line; does it end in a carriage return?' },
  );
}

function beginOf(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const head = Buffer.alloc(FIRST_LINE);
      readSync(descriptor, head, 0, FIRST_LINE, 0);
      return head.toString('latin1');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // What may be run but not read is no script.
    return '';
  }
}

export function commandNotFound(file: string): Failure {
  return new Failure('command_not_found', `There is no command ${JSON.stringify(file)}.`, {
    hint: 'Check its name and PATH. Words of a shell, as in "a && b", need --shell and quotes.',
  });
}

export function notExecutable(file: string): Failure {
  return new Failure('not_executable', `${JSON.stringify(file)} cannot be run.`, {
    hint: 'It has to be a file that you may execute (chmod +x), made for this system.',
  });
}
