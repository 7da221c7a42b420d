import type * as z from 'zod/mini';
import { formatDuration } from '../domain/duration.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { parseJson } from '../domain/json.ts';
import { retryAfter } from './retry-after.ts';
import { fits } from './schema.ts';
import type { HttpAnswer, HttpRequest, SendOptions, Transport } from './transport.ts';

/** What a service's error body says. */
export interface Refusal {
  /** The service's own code, e.g. `lease_mismatch`. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** What it means, where its reason alone does not tell. */
  readonly meaning?: Meaning | undefined;
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
  /** Takes secrets out of what a service said, before any of it is quoted. */
  readonly clean: (text: string) => string;
  /** What a status means to this call, whatever the reason, where it means more than usual. */
  readonly statuses?: Readonly<Record<number, Meaning>>;
}

/** Longest piece of a service's words in a message, in characters. */
const MAX_WORDS = 500;

/**
 * Sends a request and returns the parsed body of a successful answer: the service's own object,
 * every field of it, once it is known to fit the schema. An empty body counts as undefined.
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
  const { clean } = options;
  if (!isSuccess(answer)) throw refusal(answer, options, dialect);
  const body = parseJson(answer.body);
  const isJson = body !== undefined;
  if ((isJson || answer.body.trim() === '') && fits(schema, body)) {
    if (typeof body === 'object' && body !== null) {
      answers.set(body, answer);
      schemas.set(body, schema);
    }
    return body;
  }
  const what = !isJson
    ? `is no valid JSON, but ${describe(answer, clean)}`
    : `breaks the contract: ${cut(clean(await explainMisfit(schema, body)), MAX_WORDS)}`;
  throw badAnswer(`the answer to ${request.path} ${what}`, answer, dialect);
}

const answers = new WeakMap<object, HttpAnswer>();
const schemas = new WeakMap<object, z.ZodMiniType>();

/** The contract that an answer fits; undefined for what is no answer. */
export function schemaOf(body: unknown): z.ZodMiniType | undefined {
  return typeof body === 'object' && body !== null ? schemas.get(body) : undefined;
}

function answerOf(body: unknown): HttpAnswer | undefined {
  return typeof body === 'object' && body !== null ? answers.get(body) : undefined;
}

/**
 * The text that an answer was parsed from, which still has what parsing loses, e.g. the digits of
 * large numbers. Undefined for what is no answer.
 */
export function sourceOf(body: unknown): string | undefined {
  return answerOf(body)?.body;
}

/** An answer that was changed, with the text that says the same. */
export function withSource<T extends object>(body: T, source: string): T {
  answers.set(body, { status: 200, headers: {}, body: source });
  return body;
}

/**
 * How long the service gives, to be counted from when the request was sent: rather too short than
 * too long. By the clock that the answer tells, which may be a second ahead of what it says, or else
 * by this machine's.
 *
 * @param body what `exchange` returned
 * @param end a moment by the service's clock, in milliseconds since 1970
 * @param now this machine's clock, when the answer had come
 * @returns milliseconds
 */
export function timeUntil(body: unknown, end: number, now: number): number {
  const told = Date.parse(answerOf(body)?.headers['date'] ?? '');
  return end - (Number.isNaN(told) ? now : told + 1_000);
}

/**
 * When the service answered, by its own clock, which tells whole seconds; by this machine's where
 * the answer does not tell.
 *
 * @param body what `exchange` returned
 * @param now this machine's clock, when the answer had come
 */
export function answeredAt(body: unknown, now: number): number {
  const told = Date.parse(answerOf(body)?.headers['date'] ?? '');
  return Number.isNaN(told) ? now : told;
}

async function explainMisfit(schema: z.ZodMiniType, value: unknown): Promise<string> {
  const { explainIssues } = await import('./issues.ts');
  return explainIssues(schema, value)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
    .join('; ');
}

function badAnswer(what: string, { status }: HttpAnswer, { service }: ErrorDialect): Failure {
  return new Failure('bad_response', `${service}: ${what}.`, {
    hint: "Check the profile's URL: is this the service, or a proxy in between?",
    service,
    status,
    // A redirect, or a 404 of somebody else, did nothing.
    outcomeUnknown: status < 300,
  });
}

export function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** What an answer means that is none of success. */
export function refusal(
  answer: HttpAnswer,
  options: ExchangeOptions,
  dialect: ErrorDialect,
): Failure {
  const { service } = dialect;
  const { clean } = options;
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const location = cut(clean(answer.headers['location'] ?? 'nowhere'), MAX_WORDS);
    return badAnswer(
      `redirected (${status}) to ${location}, which is not followed`,
      answer,
      dialect,
    );
  }
  const body = parseJson(answer.body);
  const refused = body === undefined ? undefined : dialect.read(body);
  const special = options.statuses?.[status];
  // Any web server answers 404 to what it does not know: that says nothing about a key.
  if (!refused && !special && status === 404) {
    return badAnswer(`404, but not in its words: ${describe(answer, clean)}`, answer, dialect);
  }
  const {
    reason,
    message,
    meaning: told,
  } = refused ?? { message: `it sent ${describe(answer, clean)}` };
  const usual = reason === undefined ? undefined : dialect.meanings[reason];
  const meaning = special ?? told ?? usual;
  const code = meaning?.code ?? codeOfStatus(status);
  const said = cut(clean(message ?? '').replace(/\.$/, '') || 'refused', MAX_WORDS);
  const source = [service, status, reason].filter(Boolean).join(' ');
  return new Failure(code, `${[options.subject, said].filter(Boolean).join(': ')} (${source}).`, {
    hint: meaning?.hint ?? hintFor(code, answer),
    service,
    status,
    reason,
    outcomeUnknown: (status === 408 || status >= 500) && !options.repeatable,
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

/** What to do where the service's reason tells nothing better. */
const HINTS: Readonly<Partial<Record<FailureCode, string>>> = {
  unauthorized: "Check the token, the profile's or the environment's, and what it may do.",
  limit_exceeded: "The plan's limit is reached; raise it or wait for the next period.",
  not_found: "Check the spelling, and the profile's URL.",
  conflict: 'It is in another state than this needs: look at that first.',
  invalid_request: 'Correct what the service names, then try again.',
};

function hintFor(code: FailureCode, { headers }: HttpAnswer): string {
  const wait = retryAfter(headers, Date.now());
  const when = wait === undefined ? 'later' : `in ${formatDuration(Math.ceil(wait / 1000))}`;
  return HINTS[code] ?? `Try again ${when}.`;
}

/**
 * What a body that is not understood looks like, cut short. One with anything like data in it is not
 * quoted: it may hold a handle that nobody knows of yet.
 */
function describe({ body, headers }: HttpAnswer, clean: (text: string) => string): string {
  const text = body.replace(/\s+/g, ' ').trim();
  const type = headers['content-type']?.split(';')[0] ?? 'text';
  if (text === '') return 'an empty body';
  if (/[[{="]|(lease|lock|ack)_/.test(text)) return `${body.length} characters of ${type}`;
  return `${type} ${JSON.stringify(cut(clean(text), 80))}`;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
