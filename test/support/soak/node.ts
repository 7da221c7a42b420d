import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { type Outcome, outcomeOf } from '../sandbox.ts';

/** How a process that serves is started. */
export interface NodeOptions {
  /** @param port 0 for any */
  readonly args: (port: string) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its first line tells the port. */
  readonly portIn: (line: string) => string | undefined;
}

/** One process of a service, that can fail. */
export interface ServiceNode {
  /** The same however often it is started. */
  readonly url: string;
  /** Ends it in the middle of what it does. */
  kill(): Promise<void>;
  /** Asks it to end. */
  stop(): Promise<Outcome>;
  /** Starts it, if it does not run. */
  start(): Promise<void>;
  /** Lets it do nothing, or go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** Milliseconds that a start may take: its database may be away. */
const PATIENCE = 20_000;

export async function startNode({ args, env, portIn }: NodeOptions): Promise<ServiceNode> {
  let current: { child: ChildProcess; outcome: Promise<Outcome> } | undefined;
  onTestFinished(() => void current?.child.kill('SIGKILL'));
  const spawnAt = async (port: string): Promise<string | undefined> => {
    const child = spawn(process.execPath, args(port), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const outcome = outcomeOf(child);
    current = { child, outcome };
    const first = await Promise.race([once(child.stdout, 'data'), outcome]);
    if (Array.isArray(first)) return portIn(String(first[0]));
    current = undefined;
    return undefined;
  };
  const end = async (signal: NodeJS.Signals) => {
    const ended = current;
    current = undefined;
    ended?.child.kill(signal);
    return ended?.outcome ?? { code: 0, signal: null, stdout: '', stderr: '' };
  };
  const port = await spawnAt('0');
  if (port === undefined) throw new Error('the service did not start');
  return {
    url: `http://127.0.0.1:${port}`,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    async start() {
      const deadline = performance.now() + PATIENCE;
      while (!current && performance.now() < deadline) await spawnAt(port);
    },
    signal: (signal) => void current?.child.kill(signal),
  };
}
