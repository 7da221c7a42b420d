import { STATUS_CODES } from 'node:http';
import type { Exchanged } from './any-client.ts';
import type { Answer } from './base-command.ts';
import { isTooDeep, parseJson } from './domain/json.ts';
import { withSource } from './http/exchange.ts';
import { redactHeaders } from './http/redaction.ts';
import type { HttpAnswer } from './http/transport.ts';
import { laidOut } from './output/json-text.ts';
import { visible, visibleSource } from './terminal/visible.ts';
import { visibleBody } from './visible-body.ts';

export interface AnswerOptions {
  /** Whether its status and headers are shown, too. */
  readonly isIncluded: boolean;
  /** Takes known secrets out of a text. */
  readonly clean: (text: string) => string;
}

/** Any answer of a service, with its body as it came. */
export function renderAnswer(
  { answer, failure }: Exchanged,
  { isIncluded, clean }: AnswerOptions,
): Answer {
  // What nobody nests on purpose is passed on as the text that it is.
  const parsed = isTooDeep(answer.body) ? undefined : parseJson(answer.body);
  // What is no JSON is somebody's talk, e.g. a proxy's page: that may repeat the token.
  const body = parsed === undefined ? clean(answer.body) : answer.body;
  return {
    data: parsed === undefined ? body || undefined : withBody(parsed, body),
    text: ({ isInteractive }) => {
      const head = isIncluded ? [...headOf(answer, clean), ''] : [];
      const isIndented = isInteractive && parsed !== undefined;
      return [...head, isIndented ? visibleSource(laidOut(body, 2)) : visibleBody(body)].join('\n');
    },
    failure,
    isFailureTold: true,
  };
}

function withBody(parsed: unknown, body: string): unknown {
  return typeof parsed === 'object' && parsed !== null ? withSource(parsed, body) : parsed;
}

function headOf({ status, headers }: HttpAnswer, clean: AnswerOptions['clean']): string[] {
  const fields = Object.entries(redactHeaders(headers, clean)).map(
    ([name, text]) => `${name}: ${text}`,
  );
  const first = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return [first, ...fields].map((line) => visible(clean(line)));
}
