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
  /** An open file for its stdout, instead of leasectl's own. */
  readonly stdout?: number | undefined;
}

/**
 * Waits for a line on a descriptor, and becomes the command then. Without the line it ends: leasectl
 * has died before anybody looked after the command.
 */
const gate = (descriptor: number) =>
  `IFS= read -r line <&${descriptor} && exec "$@" ${descriptor}<&-`;

/**
 * Starts a command in a session, and so a process group, of its own. It waits until it may begin.
 *
 * @throws the system's error when it cannot be started
 */
export async function spawnCommand(line: CommandLine): Promise<RunningCommand> {
  const { file, args, env, descriptor, stdout } = line;
  const stdio: StdioOptions = ['inherit', stdout ?? 'inherit', 'inherit'];
  if (descriptor !== undefined) stdio.push(descriptor);
  const gateAt = stdio.push('pipe') - 1;
  const words = ['-c', gate(gateAt), 'leasectl', file, ...args];
  const child: ChildProcess = spawn('/bin/sh', words, { env, detached: true, stdio });
  const exited = new Promise<Exit>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const opener = child.stdio[gateAt];
  // It may have been ended before it began.
  opener?.on('error', () => undefined);
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw error;
  }
  return {
    group: child.pid,
    exited,
    begin: () => {
      if (opener && 'end' in opener) opener.end('\n');
    },
  };
}
