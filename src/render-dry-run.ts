import type { Answer } from './base-command.ts';
import { parseJson } from './domain/json.ts';
import type { UnsentRequest } from './http/dry-run.ts';
import { withSource } from './http/exchange.ts';
import { redactBody, redactHeaders, redactUrl } from './http/redaction.ts';
import { laidOut } from './output/json-text.ts';
import { visible, visibleSource } from './terminal/visible.ts';
import { visibleBody } from './visible-body.ts';

/**
 * A request that was not sent, without its secrets. With --json its body is what it says as JSON,
 * else a text, or null where there is none.
 *
 * @param clean takes known secrets out of a text
 */
export function renderDryRun(
  { method, url, headers, body }: UnsentRequest,
  clean: (text: string) => string,
): Answer {
  const shown = {
    method,
    // The embedded service has no host.
    url: redactUrl(url, clean).replace(/^local:\/\//, 'local:'),
    headers: redactHeaders(headers, clean),
    body: redactBody(body, clean),
  };
  const parsed = parseJson(shown.body);
  const value = parsed ?? (shown.body || null);
  const source = parsed === undefined ? JSON.stringify(value) : shown.body;
  return {
    // The body as it is: parsing loses digits of large numbers.
    data: withSource(
      { ...shown, body: value },
      `${JSON.stringify({ method, url: shown.url, headers: shown.headers }).slice(0, -1)},"body":${source}}`,
    ),
    text: ({ isInteractive }) => {
      const head = [
        `${method} ${shown.url}`,
        ...Object.entries(shown.headers).map(([name, text]) => `${name}: ${text}`),
      ];
      const lines = head.map(visible);
      if (shown.body === '') return lines.join('\n');
      const isIndented = isInteractive && parsed !== undefined;
      return [
        ...lines,
        '',
        isIndented ? visibleSource(laidOut(shown.body, 2)) : visibleBody(shown.body),
      ].join('\n');
    },
  };
}
