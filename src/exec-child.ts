import { closeSync, openSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './domain/failure.ts';
import { commandNotFound, notExecutable } from './executable.ts';
import { SERVICES } from './profiles/profile.ts';
import type { Environment } from './profiles/resolve.ts';
import { spawnCommand } from './supervise/spawn.ts';
import type { RunningCommand } from './supervise/supervisor.ts';
import type { Terminal } from './terminal/terminal.ts';
import type { HeldWork } from './work.ts';
import { MAX_RESULT, type WorkDirectory } from './work-directory.ts';

export interface CommandWords {
  readonly file: string;
  readonly args: readonly string[];
}

/** Where a command's result is. */
export type ResultSource = 'file' | 'stdout' | 'none';

export interface ChildOptions {
  readonly words: CommandWords;
  readonly held: HeldWork;
  readonly directory: WorkDirectory;
  readonly resultFrom: ResultSource;
  readonly env: Environment;
  /** Undefined where there is none that a name stands for. */
  readonly profile: string | undefined;
  readonly terminal: Terminal;
}

export interface StartedCommand extends RunningCommand {
  /**
   * Keeps what the command printed, where that is its result; to be called when all of it has ended.
   *
   * @throws Failure `usage` when it is too much
   */
  keepResult(): Promise<void>;
}

/** What another process may still hold the command's stdout open for, in milliseconds. */
const LAST_WORDS = 500;

/** @throws Failure when the system cannot run it */
export async function startChild(options: ChildOptions): Promise<StartedCommand> {
  const { words, held, directory, resultFrom, terminal } = options;
  const env = environmentOf(options);
  const descriptor = held.job === undefined ? undefined : openSync(directory.jobFile, 'r');
  const pipe = resultFrom === 'stdout' ? directory.openPipe() : undefined;
  let child: RunningCommand;
  try {
    child = await spawnCommand({ ...words, env, descriptor, stdout: pipe?.writer });
  } catch (error) {
    throw notStarted(error, words.file);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
    if (pipe) closeSync(pipe.writer);
  }
  if (!pipe) return { ...child, keepResult: async () => undefined };
  const { Socket } = await import('node:net');
  const source = new Socket({ fd: pipe.reader, readable: true, writable: false });
  const printed = terminal.passOn(source, MAX_RESULT);
  // Why it ended does not matter.
  const end = finished(source).catch(() => undefined);
  return {
    ...child,
    keepResult: async () => {
      await Promise.race([end, delay(LAST_WORDS)]);
      const bytes = printed();
      if (!bytes) throw tooLarge();
      directory.keepPrinted(bytes.toString('utf8'));
    },
  };
}

/** What is leasectl's own: never an outer command's, and no credential at all. */
const OWN = /^LEASECTL_(KEY|JOB_ID|JOB_FILE|FENCING_TOKEN|EXPIRES_AT|RESULT_FILE|TOKEN)$/;
const TOKENS = Object.values(SERVICES).map(({ tokenVariable }) => tokenVariable);

function environmentOf({ held, directory, resultFrom, env, profile }: ChildOptions): Environment {
  const { granted } = held.lease;
  const inherited = Object.entries(env).filter(
    ([name]) => !OWN.test(name) && !TOKENS.includes(name),
  );
  return {
    ...Object.fromEntries(inherited),
    ...held.variables,
    LEASECTL_EXPIRES_AT: new Date(granted.sentAt.wall + granted.duration).toISOString(),
    ...(held.fencingToken === undefined
      ? {}
      : { LEASECTL_FENCING_TOKEN: String(held.fencingToken) }),
    ...(held.job === undefined ? {} : { LEASECTL_JOB_FILE: directory.jobFile }),
    ...(resultFrom === 'file' ? { LEASECTL_RESULT_FILE: directory.resultFile } : {}),
    ...(profile === undefined ? {} : { LEASECTL_PROFILE: profile }),
  };
}

function notStarted(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return commandNotFound(file);
  if (code === 'EACCES' || code === 'ENOEXEC' || code === 'EPERM') return notExecutable(file);
  if (typeof code !== 'string') return error;
  const failure = code === 'E2BIG' ? 'usage' : 'unavailable';
  return new Failure(failure, `${JSON.stringify(file)} could not be started (${code}).`, {
    hint:
      code === 'E2BIG'
        ? 'Its arguments and environment are too long: hand them over in a file.'
        : 'The system has no room for another process: try again later.',
    cause: error,
  });
}

function tooLarge(): Failure {
  return new Failure('usage', 'The command printed more than 8 MiB as its result.', {
    hint: 'Take the result from LEASECTL_RESULT_FILE, or none with --result-from none.',
  });
}
