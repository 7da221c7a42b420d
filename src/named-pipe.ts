import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './domain/failure.ts';

/** Both ends of a pipe, as open descriptors. */
export interface Pipe {
  readonly reader: number;
  readonly writer: number;
}

/**
 * Opens a pipe. Node's own are sockets, which `/dev/stdout` cannot open, and whose writers get another
 * error than SIGPIPE when nobody reads any more.
 *
 * @param directory where it has a name for a moment
 * @throws Failure `usage` when this system has no mkfifo
 */
export function openPipe(directory: string): Pipe {
  const path = join(directory, `${randomUUID()}.pipe`);
  try {
    execFileSync('mkfifo', ['-m', '600', path]);
  } catch (error) {
    throw new Failure('usage', '--result-from stdout needs mkfifo, which cannot be run.', {
      hint: 'Install it, or let the command write to LEASECTL_RESULT_FILE. Nothing was leased.',
      cause: error,
    });
  }
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  rmSync(path);
  return { reader, writer };
}
