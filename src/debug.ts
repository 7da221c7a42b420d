import type { Redactor } from './domain/redactor.ts';
import type { Trace } from './http/transport.ts';
import type { Environment } from './profiles/resolve.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visible } from './terminal/visible.ts';

/** Whether LEASECTL_DEBUG, a list, asks for stacks of failures (`1`), or for what travels (`http`). */
export function isDebugged(env: Environment, what: '1' | 'http'): boolean {
  const asked = env['LEASECTL_DEBUG']?.split(',') ?? [];
  return asked.some((word) => word.trim() === what);
}

interface Debugged {
  readonly env: Environment;
  readonly terminal: Terminal;
  readonly redactor: Redactor;
}

/** Shows requests and answers on stderr; undefined where nobody asked for that. */
export async function createDebugTrace(debugged: Debugged): Promise<Trace | undefined> {
  const { env, terminal, redactor } = debugged;
  if (!isDebugged(env, 'http')) return undefined;
  const { createTrace } = await import('./http/trace.ts');
  const clean = (text: string) => redactor.clean(text);
  return createTrace({
    clean,
    // In one piece: others write whole lines there, too.
    write: (lines) => terminal.writeError(lines.map((line) => clean(visible(line))).join('\n')),
  });
}
