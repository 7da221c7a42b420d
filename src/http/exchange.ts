import type * as z from 'zod/mini';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { fits } from './schema.ts';
import type { HttpAnswer, HttpRequest, SendOptions, Transport } from './transport.ts';

/** What a service's error body says. */
export interface Refusal {
  /** The service's own code, e.g. `lease_mismatch`. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** How one service tells its refusals. */
export interface ErrorDialect {
  readonly service: string;
  /** Reads a parsed error body; undefined when it is not in this service's form. */
  readonly read: (body: unknown) => Refusal | undefined;
  /** What a reason means, where it means more than its HTTP status. */
  readonly meanings: Readonly<Record<string, Meaning>>;
}

export interface Meaning {
  readonly code: FailureCode;
  readonly hint?: string;
}

export interface ExchangeOptions extends SendOptions {
  /** What the request is about, e.g. the key, for messages. */
  readonly subject?: string;
}

/**
 * Sends a request and returns the parsed body of a successful answer: the service's own object,
 * every field of it, once it is known to fit the schema.
 *
 * @throws Failure as the service's refusal means; `bad_response` when the answer breaks the contract
 */
export async function exchange<T>(
  transport: Transport,
  request: HttpRequest,
  options: ExchangeOptions,
  schema: z.ZodMiniType<T>,
  dialect: ErrorDialect,
): Promise<T> {
  const answer = await transport(request, options);
  if (answer.status < 200 || answer.status > 299) throw refusal(answer, options, dialect);
  const body = parseJson(answer.body);
  if (fits(schema, body)) return body;
  const what =
    body === undefined
      ? `the answer to ${request.path} is not JSON but ${describe(answer)}`
      : `the answer to ${request.path} breaks the contract: ${await explainMisfit(schema, body)}`;
  throw new Failure('bad_response', `${dialect.service}: ${what}.`, {
    hint: "Check the profile's URL: is this the service, or a proxy in between?",
    service: dialect.service,
    status: answer.status,
    outcomeUnknown: true,
  });
}

async function explainMisfit(schema: z.ZodMiniType, value: unknown): Promise<string> {
  const { explainIssues } = await import('./issues.ts');
  return explainIssues(schema, value)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
    .join('; ');
}

function refusal(answer: HttpAnswer, options: ExchangeOptions, dialect: ErrorDialect): Failure {
  const { service } = dialect;
  const { status } = answer;
  const location = answer.headers['location'];
  if (status >= 300 && status < 400) {
    return new Failure('bad_response', `${service}: redirected (${status}) to ${location}.`, {
      hint: "Redirects are not followed; set the profile's URL to where the service really is.",
      service,
      status,
    });
  }
  const body = parseJson(answer.body);
  const { reason, message } = (body === undefined ? undefined : dialect.read(body)) ?? {
    message: describe(answer),
  };
  const meaning = reason === undefined ? undefined : dialect.meanings[reason];
  const code = meaning?.code ?? codeOfStatus(status);
  const said = message?.replace(/\.$/, '') || 'refused';
  const source = [service, status, reason].filter(Boolean).join(' ');
  return new Failure(code, `${[options.subject, said].filter(Boolean).join(': ')} (${source}).`, {
    hint: meaning?.hint ?? hintFor(code, answer),
    service,
    status,
    reason,
    outcomeUnknown: status >= 500 && !options.repeatable,
  });
}

function codeOfStatus(status: number): FailureCode {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 402) return 'limit_exceeded';
  if (status === 404) return 'not_found';
  if (status === 409) return 'conflict';
  if (status === 408 || status === 429 || status >= 500) return 'unavailable';
  return 'invalid_request';
}

function hintFor(code: FailureCode, answer: HttpAnswer): string | undefined {
  if (code === 'unauthorized') return 'Check the token and what it may do: leasectl profile list';
  if (code === 'limit_exceeded')
    return "The plan's limit is reached; raise it or wait for the next period.";
  if (code === 'not_found') return "Check the spelling, and the profile's URL.";
  if (code === 'conflict') return 'Look at its state first: leasectl status';
  if (code !== 'unavailable') return 'Correct what the service names, then try again.';
  const wait = answer.headers['retry-after'];
  return wait === undefined ? 'Try again later.' : `The service asks to try again after ${wait} s.`;
}

/** What a body that is no JSON looks like, cut short. */
function describe({ body, headers }: HttpAnswer): string {
  const text = body.replace(/\s+/g, ' ').trim();
  if (text === '') return 'an empty body';
  const type = headers['content-type']?.split(';')[0] ?? 'text';
  return `${type} ${JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
