import { isDebugged } from './debug.ts';
import { FAILURES } from './domain/failure.ts';
import type { Redactor } from './domain/redactor.ts';
import { failureToJson, renderFailure, renderStack, toFailure } from './output/failure.ts';
import { type Layout, PLAIN, type Style, styleOf, USUAL_LAYOUT } from './output/style.ts';
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
export function styleFor(
  stream: 'stdout' | 'stderr',
  voice: Voice,
  layout: Layout = USUAL_LAYOUT,
): Promise<Style> {
  const { terminal, redactor, env, argv } = voice;
  return styleOf({
    ...layout,
    isInteractive: terminal.isInteractive(stream),
    columns: terminal.columns(stream),
    clean: (text) => redactor.clean(text),
    noColor: argv.includes('--no-color'),
    env,
  });
}

/** Tells of a failure on stderr, without any secret, and returns the exit code it means. */
export async function reportFailure(error: unknown, voice: Voice): Promise<number> {
  return tell(error, voice, await styleFor('stderr', voice));
}

/** As `reportFailure`, but at once and without colors: for where nothing may be waited for. */
export function reportAtOnce(error: unknown, voice: Voice): number {
  const clean = (text: string) => voice.redactor.clean(text);
  const style = { ...USUAL_LAYOUT, isInteractive: false, columns: 80, paint: PLAIN, clean };
  return tell(error, voice, style);
}

function tell(error: unknown, { terminal, env, isJson }: Voice, style: Style): number {
  const failure = toFailure(error);
  terminal.writeError(
    isJson ? visibleJson(failureToJson(failure, style), 0) : renderFailure(failure, style),
  );
  if (isDebugged(env, '1')) {
    terminal.writeError(visibleSource(style.clean(renderStack(error)).replaceAll('\r', '')));
  }
  return FAILURES[failure.code].exit;
}
