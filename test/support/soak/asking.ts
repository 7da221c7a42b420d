import { Agent, request } from 'node:http';
import { parseJson } from '../../../src/domain/json.ts';

export interface Question {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** `unsent`: it never reached anybody; `unanswered`: nobody knows what became of it. */
export type Reply = Answer | 'unsent' | 'unanswered';

/** Asks one node. */
export type Ask = (question: Question) => Promise<Reply>;

/** Milliseconds that an answer is waited for: a node may stand still for less, or for more. */
const PATIENCE = 3_000;

/** @param url where it listens @param headers come with every request */
export function askAt(url: string, headers: Readonly<Record<string, string>> = {}): Ask {
  const agent = new Agent({ keepAlive: true });
  return ({ method, path, headers: own = {}, body }) =>
    new Promise((resolve) => {
      const content = body === undefined ? undefined : JSON.stringify(body);
      const type = content === undefined ? {} : { 'content-type': 'application/json' };
      const sending = request(
        `${url}${path}`,
        { method, agent, headers: { ...headers, ...type, ...own }, timeout: PATIENCE },
        (response) => {
          const parts: string[] = [];
          response.setEncoding('utf8').on('data', (part: string) => parts.push(part));
          response.on('error', () => resolve('unanswered'));
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            resolve({ status, body: parseJson(parts.join('')) });
          });
        },
      );
      // Only what is idle is timed by `timeout`: who is fed byte by byte gives up, too.
      const deadline = setTimeout(() => sending.destroy(), PATIENCE);
      sending.on('timeout', () => sending.destroy());
      sending.on('error', (error) => resolve(isUnsent(error) ? 'unsent' : 'unanswered'));
      sending.on('close', () => clearTimeout(deadline));
      sending.end(content);
    });
}

function isUnsent(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNREFUSED';
}
