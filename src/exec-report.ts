import type { Clock } from './domain/clock.ts';
import { Failure } from './domain/failure.ts';
import type { Redactor } from './domain/redactor.ts';
import { createEventSink, openForEvents, stderrForEvents } from './event-sink.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visibleJson } from './terminal/visible.ts';
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
  /** Tells people something. */
  readonly notice: (message: string) => void;
}

/** @throws Failure `usage` when the status file cannot be written */
export function openReport(options: ExecReportOptions): ExecReport {
  const { terminal, redactor, now, isJson, statusFile, notice } = options;
  const descriptor = statusFile === undefined ? undefined : openStatusFile(statusFile);
  const isTold = descriptor !== undefined || isJson;
  const sink = createEventSink(descriptor ?? (isJson ? stderrForEvents() : 2), (error) => {
    // The work is worth more than what is told of it.
    const why = error instanceof Error ? error.message : String(error);
    notice(`Warning: events cannot be written any more: ${why}`);
  });
  const line = isJson ? NO_WAITING_LINE : createWaitingLine(terminal, redactor);
  return {
    tell: (event) => {
      const time = new Date(now()).toISOString();
      const { event: name, ...rest } = event;
      if (!isTold) return;
      const text = redactor.clean(JSON.stringify({ event: name, time, ...rest }));
      sink.write(visibleJson(JSON.parse(text), 0));
    },
    waitFor: line.show,
    stopWaiting: line.clear,
    close: () => sink.close(),
  };
}

function openStatusFile(file: string): number {
  try {
    return openForEvents(file);
  } catch (error) {
    throw new Failure('usage', `--status-file: ${JSON.stringify(file)} cannot be written.`, {
      hint: 'Check that its directory is there and writable, and that somebody reads if it is a pipe.',
      cause: error,
    });
  }
}
