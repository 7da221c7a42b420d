import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Exit } from './process-group.ts';
import type { RunningCommand } from './supervisor.ts';

export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An open file that the command gets as descriptor 3. */
  readonly descriptor?: number | undefined;
  /** Whether it has leasectl's own stdin, or an empty one. */
  readonly stdin: 'inherit' | 'ignore';
  /** An open file for its stdout, instead of leasectl's own. */
  readonly stdout?: number | undefined;
  /** Called before the command is started, where it cannot wait until it may begin. */
  readonly onUngated: () => void;
}

/**
 * Shell that waits for a line on a descriptor, and becomes the command then. Without the line it
 * ends, whatever follows: leasectl has died before anybody looked after the command.
 */
function gate(descriptor: number, env: CommandLine['env']): string {
  // Shells make this one up.
  const forget = 'PWD' in env ? '' : 'unset PWD; ';
  return `IFS= read -r LEASECTL_GATE <&${descriptor} || exit; ${forget}exec "$@" ${descriptor}<&-`;
}

/** Whether a shell hands the environment on as it is: some drop what cannot be a variable of theirs. */
function isPassedOn(env: CommandLine['env']): boolean {
  return Object.keys(env).every(
    (name) => /^[A-Za-z_]\w*$/.test(name) && !/^(OPTIND|IFS|PPID)$/.test(name),
  );
}

/**
 * Starts a command in a session, and so a process group, of its own. It waits until it may begin;
 * where no shell can hand on its environment, it begins at once, and the watchdog has to know of it
 * before.
 *
 * @throws the system's error when it cannot be started
 */
export async function spawnCommand(line: CommandLine): Promise<RunningCommand> {
  const { file, args, env, descriptor, stdin, stdout, onUngated } = line;
  const stdio: StdioOptions = [stdin, stdout ?? 'inherit', 'inherit'];
  if (descriptor !== undefined) stdio.push(descriptor);
  const options = { env, detached: true, stdio };
  let child: ChildProcess;
  let opener: ChildProcess['stdio'][number];
  if (isPassedOn(env)) {
    const at = stdio.push('pipe') - 1;
    child = spawn('/bin/sh', ['-c', gate(at, env), 'leasectl', file, ...args], options);
    opener = child.stdio?.[at];
  } else {
    onUngated();
    child = spawn(file, args, options);
  }
  const exited = new Promise<Exit>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  // It may have been ended before it began.
  opener?.on('error', () => undefined);
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw error;
  }
  return {
    group: child.pid,
    exited,
    waits: opener != null,
    begin: () => {
      if (opener && 'end' in opener) opener.end('\n');
    },
  };
}
