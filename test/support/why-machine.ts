import type { ChildProcess } from 'node:child_process';
import { isJsonObject } from '../../src/domain/json.ts';
import { until } from './exec-host.ts';
import { createSandbox, type RunOptions, type Sandbox } from './sandbox.ts';

/** Somebody's machine, on which leases get stuck. */
export interface WhyMachine extends Sandbox {
  /** Holds a lease from now on, until it is killed; the command under it ends with it. */
  holds(args: readonly string[], id: string, options?: RunOptions): Promise<ChildProcess>;
  /** What `why` answers, however it ends. */
  why(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
  /** Waits until `why` says so. */
  until(diagnosis: string, ...args: readonly string[]): Promise<void>;
}

export function createWhyMachine(user = 'alice'): WhyMachine {
  const sandbox = createSandbox();
  const env = { ...sandbox.env, USER: user };
  // In no repository.
  const within = (options: RunOptions = {}) => ({
    cwd: sandbox.directory,
    ...options,
    env: { USER: user, ...options.env },
  });
  const why: WhyMachine['why'] = async (...args) => {
    const { stdout, stderr } = await sandbox.run(['why', ...args, '--json'], within());
    const answer: unknown = stdout && JSON.parse(stdout);
    if (!isJsonObject(answer)) throw new Error(`why ${args.join(' ')} told nothing: ${stderr}`);
    return answer;
  };
  const untilItIs: WhyMachine['until'] = async (diagnosis, ...args) => {
    let seen: unknown;
    const look = async () => {
      seen = (await why(...args))['diagnosis'];
      return seen === diagnosis;
    };
    await until(look, diagnosis, 30_000).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${String(seen)}`);
    });
  };
  return {
    ...sandbox,
    env,
    start: (args, options) => sandbox.start(args, within(options)),
    run: (args, options) => sandbox.run(args, within(options)),
    json: (args, options) => sandbox.json(args, within(options)),
    holds: async (args, id, options) => {
      const child = sandbox.start([...args, '--', 'sleep', '60'], within(options));
      await until(async () => (await why(id))['state'] === 'held', `a lease on ${id}`);
      return child;
    },
    why,
    until: untilItIs,
  };
}
