import type { Context } from './context.ts';
import { createEventSink, gathering, stderrForEvents } from './event-sink.ts';
import { processSignals } from './process-signals.ts';
import type { ServeHost, StopSignal } from './serve/serve.ts';
import { createLog, type LogLevel } from './server/log.ts';

/** What an end by these is told as, as shells have it. */
const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Serving in this process: its signals, and its stderr for the log. */
export function processHost(
  context: Pick<Context, 'redactor' | 'onClose'>,
  level: LogLevel,
): Omit<ServeHost, 'onListening' | 'openApi'> {
  // A log that cannot be written is no reason not to answer: lines are lost until it can be again.
  const sink = gathering(createEventSink(stderrForEvents(), () => true));
  context.onClose(() => sink.close());
  return {
    log: createLog(
      (line) => sink.write(line.trimEnd()),
      level,
      (text) => context.redactor.clean(text),
    ),
    signals: processSignals(process),
    die: (signal) => process.exit(EXIT_CODES[signal]),
  };
}
