import { FAILURES } from './domain/failure.ts';
import type { Redactor } from './domain/redactor.ts';
import { failureToJson, renderFailure, renderStack, toFailure } from './output/failure.ts';
import type { Style } from './output/style.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visibleJson } from './terminal/visible.ts';

export interface ReportOptions {
  readonly terminal: Terminal;
  readonly redactor: Redactor;
  readonly style: Style;
  readonly isJson: boolean;
  /** Whether to show the stack too. */
  readonly isDebug: boolean;
}

/** Tells of a failure on stderr, without any secret, and returns the exit code it means. */
export function reportFailure(error: unknown, options: ReportOptions): number {
  const { terminal, redactor, style, isJson, isDebug } = options;
  const failure = toFailure(error);
  const text = isJson ? visibleJson(failureToJson(failure), 0) : renderFailure(failure, style);
  terminal.writeError(redactor.clean(text));
  if (isDebug) terminal.writeError(redactor.clean(renderStack(error)));
  return FAILURES[failure.code].exit;
}
