import type { Clock } from './domain/clock.ts';
import { Failure } from './domain/failure.ts';
import type { Redactor } from './domain/redactor.ts';
import { createEventSink, openForEvents, stderrForEvents } from './event-sink.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visible, visibleJson } from './terminal/visible.ts';
import { createWaitingLine, NO_WAITING_LINE } from './waiting-line.ts';

/** What happens to a lease, and to the command that runs under it. */
export type ExecEvent =
  | {
      readonly event: 'acquired';
      readonly service: string;
      readonly profile: string;
      readonly key?: string;
      readonly job_id?: string;
      readonly fencing_token?: number | undefined;
      readonly expires_at: string;
    }
  /** @property retry_after seconds */
  | { readonly event: 'waiting'; readonly message: string; readonly retry_after: number }
  | { readonly event: 'renewed'; readonly expires_at: string }
  | {
      readonly event: 'renewal_failed';
      readonly code: string;
      readonly message: string;
      /** When the command is stopped if no renewal succeeds. */
      readonly stop_at: string;
    }
  /** How the command ended could not be recorded yet. */
  | { readonly event: 'finish_failed'; readonly code: string; readonly message: string }
  | { readonly event: 'lost'; readonly code: string; readonly message: string }
  /** @property signal null when it is the service that wants the end */
  | { readonly event: 'canceled'; readonly signal: string | null }
  | { readonly event: 'child_exit'; readonly code: number | null; readonly signal: string | null }
  | { readonly event: 'finished'; readonly status: string; readonly exit_code: number };

export interface ExecReport {
  /** One line of JSON, for programs. */
  tell(event: ExecEvent): void;
  /** Says something for people. Nobody waits until it is read. */
  say(message: string): void;
  /** Says for people what is waited for, if it takes long: in place of what was said before. */
  waitFor(message: string): void;
  /** The wait is over. */
  stopWaiting(): void;
  close(): Promise<void>;
}

export interface ExecReportOptions {
  readonly terminal: Terminal;
  readonly redactor: Redactor;
  readonly now: Clock;
  /** Whether events, and nothing else, go to stderr. */
  readonly isJson: boolean;
  /** Where events go instead. */
  readonly statusFile: string | undefined;
}

/** @throws Failure `usage` when the status file cannot be written */
export function openReport(options: ExecReportOptions): ExecReport {
  const { terminal, redactor, now, isJson, statusFile } = options;
  const file = statusFile === undefined ? undefined : openStatusFile(statusFile);
  const stderr = createEventSink(stderrForEvents(), () => false);
  const say = (message: string) => {
    if (!isJson) stderr.write(redactor.clean(visible(message)));
  };
  const events =
    file === undefined
      ? stderr
      : createEventSink(file, (error) => {
          // The work is worth more than what is told of it.
          const why = error instanceof Error ? error.message : String(error);
          say(`Warning: events cannot be written any more: ${why}`);
          return false;
        });
  const isTold = file !== undefined || isJson;
  const line = isJson
    ? NO_WAITING_LINE
    : createWaitingLine(terminal, redactor, (text) => stderr.write(text));
  return {
    tell: (event) => {
      const time = new Date(now()).toISOString();
      const { event: name, ...rest } = event;
      if (!isTold) return;
      const text = redactor.clean(JSON.stringify({ event: name, time, ...rest }));
      events.write(visibleJson(JSON.parse(text), 0));
    },
    waitFor: line.show,
    stopWaiting: line.clear,
    say,
    close: async () => {
      await events.close();
      await stderr.close();
    },
  };
}

function openStatusFile(file: string): number {
  // What is open already is written where it stands, and not opened a second time.
  const open = /^\/dev\/(stdout|stderr)$/.exec(file);
  if (open) return open[1] === 'stdout' ? 1 : stderrForEvents();
  try {
    if (file !== '-') return openForEvents(file);
  } catch (error) {
    throw unwritable(file, error);
  }
  throw unwritable(file);
}

function unwritable(file: string, cause?: unknown): Failure {
  return new Failure('usage', `--status-file: ${JSON.stringify(file)} cannot be written.`, {
    hint: 'Give a file in a directory that is writable, or a pipe that somebody reads.',
    cause,
  });
}
