import { STATUS_CODES } from 'node:http';
import type { Exchanged } from './any-client.ts';
import type { Answer } from './base-command.ts';
import { isTooDeep, parseJson } from './domain/json.ts';
import { withSource } from './http/exchange.ts';
import { redactHeaders } from './http/redaction.ts';
import type { HttpAnswer } from './http/transport.ts';
import type { Style } from './output/style.ts';
import { visible, visibleJson } from './terminal/visible.ts';
import { visibleBody } from './visible-body.ts';

/**
 * Any answer of a service, with its body as it came.
 *
 * @param isIncluded whether its status and headers are shown, too
 */
export function renderAnswer(
  { answer, failure }: Exchanged,
  { isIncluded }: { readonly isIncluded: boolean },
): Answer {
  const { body } = answer;
  // What nobody nests on purpose is passed on as the text that it is.
  const parsed = isTooDeep(body) ? undefined : parseJson(body);
  return {
    data: parsed === undefined ? body || undefined : withBody(parsed, body),
    text: (style) => {
      const head = isIncluded ? [...headOf(answer, style), ''] : [];
      return [...head, shownBody(body, parsed, style)].join('\n');
    },
    failure,
    isFailureTold: true,
  };
}

function withBody(parsed: unknown, body: string): unknown {
  return typeof parsed === 'object' && parsed !== null ? withSource(parsed, body) : parsed;
}

function headOf({ status, headers }: HttpAnswer, { clean }: Style): string[] {
  const fields = Object.entries(redactHeaders(headers)).map(([name, text]) => `${name}: ${text}`);
  const first = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return [first, ...fields].map((line) => visible(clean(line)));
}

/** What is no JSON is somebody's talk, e.g. a proxy's page: that may repeat the token. */
function shownBody(body: string, parsed: unknown, { isInteractive, clean }: Style): string {
  if (parsed === undefined) return visibleBody(clean(body));
  return isInteractive ? visibleJson(parsed) : visibleBody(body);
}
