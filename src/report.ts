import { FAILURES } from './domain/failure.ts';
import type { Redactor } from './domain/redactor.ts';
import { failureToJson, renderFailure, renderStack, toFailure } from './output/failure.ts';
import { type Style, styleOf } from './output/style.ts';
import type { Environment } from './profiles/resolve.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visibleJson, visibleSource } from './terminal/visible.ts';

/** What decides how a run talks. */
export interface Voice {
  readonly terminal: Terminal;
  readonly redactor: Redactor;
  readonly env: Environment;
  readonly argv: readonly string[];
  readonly isJson: boolean;
}

/** How to write to a stream. */
export function styleFor(stream: 'stdout' | 'stderr', voice: Voice): Promise<Style> {
  const { terminal, redactor, env, argv } = voice;
  return styleOf({
    isInteractive: terminal.isInteractive(stream),
    columns: terminal.columns(stream),
    clean: (text) => redactor.clean(text),
    noColor: argv.includes('--no-color'),
    env,
  });
}

/** Tells of a failure on stderr, without any secret, and returns the exit code it means. */
export async function reportFailure(error: unknown, voice: Voice): Promise<number> {
  const { terminal, redactor, env, isJson } = voice;
  const failure = toFailure(error);
  const style = await styleFor('stderr', voice);
  terminal.writeError(
    isJson ? visibleJson(failureToJson(failure, style), 0) : renderFailure(failure, style),
  );
  if (env['LEASECTL_DEBUG'] === '1') {
    const stack = redactor.clean(renderStack(error)).replaceAll('\r', '');
    terminal.writeError(visibleSource(stack));
  }
  return FAILURES[failure.code].exit;
}
