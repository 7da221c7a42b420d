import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Environment } from './profiles/resolve.ts';
import { createWatchdog, type Watchdog, type WatchdogProcess } from './supervise/watchdog.ts';

/**
 * Starts the watchdog's process: in a session of its own, so that no terminal's signal reaches it,
 * with nothing of the environment but what Node needs to run, and without a stream that somebody may wait for the end of.
 * One that takes another's place has its order there, and so knows it from the first moment.
 *
 * @param root the directory with package.json and dist/
 * @param notice tells people something
 */
export function startWatchdog(
  root: string,
  { LD_LIBRARY_PATH }: Environment,
  notice: (message: string) => void,
): Watchdog {
  const start = (order?: string): WatchdogProcess => {
    const child: ChildProcess = spawn(process.execPath, [join(root, 'dist', 'guard.js')], {
      cwd: '/',
      detached: true,
      env: {
        ...(LD_LIBRARY_PATH ? { LD_LIBRARY_PATH } : {}),
        ...(order ? { LEASECTL_ORDER: order } : {}),
      },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // That it died is told by its exit; that it never lived, by nothing else.
    child.stdin?.on('error', () => undefined);
    child.unref();
    return {
      write: (text) => child.stdin?.write(text),
      onExit: (listener) => {
        child.on('exit', listener);
        child.on('error', listener);
      },
    };
  };
  return createWatchdog(start, () =>
    notice('Warning: the watchdog does not run: if leasectl is killed, the command runs on.'),
  );
}
