import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
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

/** @throws Failure `not_executable` for a script that the system would find no interpreter for */
function assertInterpreter(file: string): void {
  const [, line, interpreter = ''] = /^#![ \t]*((\S+)[^\n]*)\n/.exec(beginOf(file)) ?? [];
  if (line === undefined) return;
  if (line.endsWith('\r')) {
    throw new Failure('not_executable', `The first line of ${JSON.stringify(file)} ends in \\r.`, {
      hint: 'Save it with the line ends of Unix: then the system finds its interpreter.',
    });
  }
  if (isExecutableFile(interpreter)) return;
  throw new Failure(
    'not_executable',
    `${JSON.stringify(file)} needs ${JSON.stringify(interpreter)}, which cannot be run.`,
    { hint: 'Correct its first line, or install that.' },
  );
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
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
