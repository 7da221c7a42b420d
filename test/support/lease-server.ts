import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { bundleWorker } from './bundle-worker.ts';
import { outcomeOf } from './sandbox.ts';

/** The embedded service in a process of its own, with the real clock. */
export interface LeaseServer {
  /** The same however often it is started again. */
  readonly url: string;
  /** Ends it in the middle of what it does, and starts it again. */
  restart(): Promise<void>;
  /** Lets it do nothing for so many milliseconds; what comes meanwhile waits. */
  freeze(milliseconds: number): Promise<void>;
}

/**
 * @param file the database
 * @param directory for what has to be built
 */
export async function startLeaseServer(file: string, directory: string): Promise<LeaseServer> {
  const script = await bundleWorker('lease-service', directory);
  let current: ChildProcess | undefined;
  onTestFinished(() => void current?.kill('SIGKILL'));
  const start = async (port: string) => {
    const child = spawn(process.execPath, [script, file, port]);
    current = child;
    const outcome = outcomeOf(child);
    const first = await Promise.race([once(child.stdout, 'data'), outcome]);
    if (!Array.isArray(first)) throw new Error(`the service did not start: ${first.stderr}`);
    return String(first[0]).trim();
  };
  const port = await start('0');
  const restart = async () => {
    const child = current;
    if (child) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await start(port);
  };
  let last = Promise.resolve();
  return {
    url: `http://127.0.0.1:${port}`,
    restart: () => {
      // One that is killed before it listens would never have started.
      last = last.then(restart);
      return last;
    },
    async freeze(milliseconds) {
      const child = current;
      child?.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      child?.kill('SIGCONT');
    },
  };
}
