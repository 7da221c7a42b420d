import { closeSync, openSync, writeSync } from 'node:fs';
import { Failure } from './domain/failure.ts';
import type { Redactor } from './domain/redactor.ts';
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
  close(): void;
}

export interface ExecReportOptions {
  readonly terminal: Terminal;
  readonly redactor: Redactor;
  /** Whether events, and nothing else, go to stderr. */
  readonly isJson: boolean;
  /** Where events go instead. */
  readonly statusFile: string | undefined;
  /** Tells people something. */
  readonly notice: (message: string) => void;
}

/** @throws Failure `usage` when the status file cannot be written */
export function openReport(options: ExecReportOptions): ExecReport {
  const { terminal, redactor, isJson, statusFile, notice } = options;
  const file = statusFile === undefined ? undefined : openStatusFile(statusFile);
  let isBroken = false;
  const write = (line: string) => {
    if (file === undefined) {
      if (isJson) terminal.writeError(line);
      return;
    }
    try {
      if (!isBroken) writeSync(file, `${line}\n`);
    } catch (error) {
      // The work is worth more than what is told of it.
      isBroken = true;
      const why = error instanceof Error ? error.message : String(error);
      notice(`Warning: --status-file is not written any more: ${why}`);
    }
  };
  const line = isJson ? NO_WAITING_LINE : createWaitingLine(terminal, redactor);
  return {
    tell: (event) => {
      const time = new Date().toISOString();
      const { event: name, ...rest } = event;
      write(
        visibleJson(JSON.parse(redactor.clean(JSON.stringify({ event: name, time, ...rest }))), 0),
      );
    },
    waitFor: line.show,
    stopWaiting: line.clear,
    close: () => {
      if (file !== undefined) closeSync(file);
    },
  };
}

function openStatusFile(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (error) {
    throw new Failure('usage', `--status-file: ${JSON.stringify(file)} cannot be written.`, {
      hint: 'Check that its directory is there and writable.',
      cause: error,
    });
  }
}
