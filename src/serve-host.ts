import type { Context } from './context.ts';
import { processSignals } from './process-signals.ts';
import type { ServeHost, StopSignal } from './serve/serve.ts';
import { createLog, type LogLevel, logSink } from './server/log.ts';

/** What an end by these is told as, as shells have it. */
const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Serving in this process: its signals, and its stderr for the log. */
export function processHost(
  context: Pick<Context, 'redactor' | 'onClose'>,
  level: LogLevel,
): Omit<ServeHost, 'onListening'> {
  const sink = logSink(process.stderr.fd);
  const log = createLog(sink, level, (text) => context.redactor.clean(text));
  context.onClose(() => sink.flushSync());
  return {
    log,
    signals: processSignals(process),
    die: (signal) => {
      sink.flushSync();
      process.exit(EXIT_CODES[signal]);
    },
  };
}
