import { closeSync, openSync, readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Failure } from './domain/failure.ts';
import { commandNotFound, notExecutable } from './executable.ts';
import type { Pipe } from './named-pipe.ts';
import { CREDENTIAL_VARIABLES } from './profiles/profile.ts';
import type { Environment } from './profiles/resolve.ts';
import { spawnCommand } from './supervise/spawn.ts';
import type { RunningCommand } from './supervise/supervisor.ts';
import type { Terminal } from './terminal/terminal.ts';
import type { HeldWork } from './work.ts';
import { MAX_RESULT, unusable, type WorkDirectory } from './work-directory.ts';

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
  /** For its stdout, where that is its result. */
  readonly pipe: Pipe | undefined;
  readonly env: Environment;
  /** What leasectl in the command is to talk to: a profile, or where no name stands for it an address. */
  readonly target: { readonly profile: string } | { readonly url: string };
  readonly terminal: Terminal;
  /**
   * Called before the command is started, where it cannot wait until it is let begin.
   *
   * @param environment what it has in its environment, and no other command has, as `NAME=value`
   */
  readonly onUngated: (environment: readonly string[]) => void;
}

export interface StartedCommand extends RunningCommand {
  /**
   * What the command printed, where that is its result; to be called when all of it has ended.
   *
   * @throws Failure `usage` when it is too much
   */
  printed(): Promise<string | undefined>;
}

/**
 * What is waited for in vain, in milliseconds, while another process holds the command's stdout open.
 */
const LAST_WORDS = 500;

/** @throws Failure when the system cannot run it */
export async function startChild(options: ChildOptions): Promise<StartedCommand> {
  const { words, held, directory, pipe, terminal } = options;
  const env = environmentOf(options);
  const onUngated = () => options.onUngated(tellingOf(env));
  const stdin = isInBackground() ? 'ignore' : 'inherit';
  const descriptor = held.job === undefined ? undefined : openSync(directory.jobFile, 'r');
  let child: RunningCommand;
  try {
    const streams = { descriptor, stdin, stdout: pipe?.writer } as const;
    child = await spawnCommand({ ...words, env, ...streams, onUngated });
  } catch (error) {
    throw notStarted(error, words.file);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
    if (pipe) closeSync(pipe.writer);
  }
  if (!pipe) return { ...child, printed: async () => undefined };
  const { Socket } = await import('node:net');
  const source = new Socket({ fd: pipe.reader, readable: true, writable: false });
  const passed = terminal.passOn(source, MAX_RESULT);
  return {
    ...child,
    printed: async () => {
      await passed.toTheEnd(LAST_WORDS);
      const bytes = passed.kept();
      if (!bytes) throw unusable('has more than 8 MiB');
      return bytes.toString('utf8');
    },
  };
}

/**
 * In the background of a terminal there is nothing to be read: the command must not take what is
 * meant for the shell, and the kernel does not hinder what runs in another session.
 */
function isInBackground(): boolean {
  if (process.platform !== 'linux' || !isatty(0)) return false;
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // The fields from the third on: the fifth is the process group, the eighth the foreground one's.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] !== fields[5];
}

/** What is leasectl's own: never an outer command's. */
const OWN = /^LEASECTL_(KEY|JOB_ID|JOB_FILE|FENCING_TOKEN|EXPIRES_AT|RESULT_FILE|GATE)$/;

/** What says which lease it is, and whose: all of it is the same for no other command. */
const TELLING = /^(LEASECTL_.*|HOME|XDG_.*)$/;

function tellingOf(env: Environment): string[] {
  const entries = Object.entries(env).filter(
    ([name, value]) => value !== undefined && TELLING.test(name),
  );
  return entries.map((entry) => entry.join('='));
}

function environmentOf({ held, directory, resultFrom, env, target }: ChildOptions): Environment {
  const { granted } = held.lease;
  const inherited = Object.entries(env).filter(
    ([name]) => !OWN.test(name) && !CREDENTIAL_VARIABLES.includes(name),
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
    // Without the token it is to fail there, rather than to find another service.
    ...('profile' in target ? { LEASECTL_PROFILE: target.profile } : { LEASECTL_URL: target.url }),
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
