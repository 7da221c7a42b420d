import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createWatchdog, type Watchdog } from './supervise/watchdog.ts';

/**
 * Starts the watchdog's process: in a session of its own, so that no terminal's signal reaches it,
 * with nothing of the environment, and without a stream that somebody may wait for the end of.
 *
 * @param root the directory with package.json and dist/
 */
export function startWatchdog(root: string): Watchdog {
  return createWatchdog(() => {
    const child = spawn(process.execPath, [join(root, 'dist', 'guard.js')], {
      cwd: '/',
      detached: true,
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // That it died is told by its exit; that it never lived, by nothing else.
    child.stdin.on('error', () => undefined);
    child.unref();
    return {
      write: (text) => child.stdin.write(text),
      onExit: (listener) => {
        child.on('exit', listener);
        child.on('error', listener);
      },
    };
  });
}
