import { STATUS_CODES } from 'node:http';
import { applyEdits, format } from 'jsonc-parser';
import { Failure } from '../domain/failure.ts';
import { isTooDeep } from '../domain/json.ts';
import { systemCode } from './connection-failure.ts';
import { redactBody, redactHeaders, redactUrl } from './redaction.ts';
import { urlOf } from './request.ts';
import type { HttpRequest, Trace, Transport } from './transport.ts';

export interface TraceOptions {
  /** Shows lines, all of them at once. They are foreign text: see `visible`. */
  readonly write: (lines: readonly string[]) => void;
  /** Takes secrets out by their values. */
  readonly clean: (text: string) => string;
}

/** Longest body that is looked at, and longest one that is shown, in characters. */
const MOST_READ = 64 * 1024;
const MOST_SHOWN = 8 * 1024;

/** Shows requests and answers as curl does, without any secret. */
export function createTrace({ write, clean }: TraceOptions): Trace {
  let requests = 0;
  const headerLines = (headers: HttpRequest['headers']) =>
    Object.entries(redactHeaders(headers, clean)).map(([name, text]) => clean(`${name}: ${text}`));
  return (request) => {
    requests += 1;
    const number = `#${requests}`;
    const attempt = (request.attempt ?? 1) > 1 ? `, attempt ${request.attempt}` : '';
    const first = `${request.method} ${redactUrl(request.url, clean)} (${number}${attempt})`;
    const lines = [first, ...headerLines(request.headers), ...bodyLines(request.body, clean)];
    write(lines.map((line) => `> ${line}`.trimEnd()));
    const begun = performance.now();
    return (outcome) => {
      const took = `(${number}, ${Math.round(performance.now() - begun)} ms)`;
      if (outcome instanceof Error) {
        write([`* no answer: ${clean(reasonOf(outcome))} ${took}`]);
        return;
      }
      const { status, headers, body } = outcome;
      const words = [status, STATUS_CODES[status], took].filter(Boolean).join(' ');
      const answer = [words, ...headerLines(headers), ...bodyLines(body, clean)];
      write(answer.map((line) => `< ${line}`.trimEnd()));
    };
  };
}

function reasonOf(error: Error): string {
  if (error instanceof Failure) return error.message;
  return systemCode(error) ?? `${error.name}: ${error.message}`;
}

/** An empty line, then the body, indented where it is JSON. */
function bodyLines(body: string, clean: TraceOptions['clean']): readonly string[] {
  if (body === '') return [];
  // What is cut off is far beyond what is shown: no secret is cut in two there.
  const text = indented(redactBody(body.slice(0, MOST_READ), clean));
  const isCut = body.length > MOST_READ || text.length > MOST_SHOWN;
  const end = isCut ? [`… (of ${body.length} characters in all)`] : [];
  return ['', ...text.slice(0, MOST_SHOWN).split('\n'), ...end];
}

/** Only its layout changes. */
function indented(text: string): string {
  if (!/^\s*[[{]/.test(text) || isTooDeep(text)) return text;
  return applyEdits(text, format(text, undefined, { insertSpaces: true, tabSize: 2 }));
}

/** Traces a transport that makes one attempt. */
export function traced(transport: Transport, baseUrl: URL, trace: Trace): Transport {
  return async (request, options) => {
    const ended = trace({ ...request, url: urlOf(baseUrl, request) });
    try {
      const answer = await transport(request, options);
      ended(answer);
      return answer;
    } catch (error) {
      ended(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  };
}
