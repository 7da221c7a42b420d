import type { SignalSource } from './supervise/supervisor.ts';

/** How long it takes at most until a process that stops itself has stopped, in milliseconds. */
const STOPPING = 100;

/** The signals that come to this process. */
export function processSignals(process: NodeJS.Process): SignalSource {
  return {
    on: (signal, listener) => {
      process.on(signal, listener);
      return () => {
        process.off(signal, listener);
      };
    },
    suspend: async () => {
      const listeners = process.listeners('SIGTSTP');
      // What the system does by itself: nothing, where no shell could continue us.
      process.removeAllListeners('SIGTSTP');
      process.kill(process.pid, 'SIGTSTP');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, STOPPING);
        process.once('SIGCONT', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      for (const listener of listeners) process.on('SIGTSTP', listener);
    },
  };
}
