import type { CustomFetchOptions, TokenEndpointResponse } from 'oauth4webapi';
import * as z from 'zod/mini';
import type { Clock } from '../domain/clock.ts';
import { formatDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { parseJson } from '../domain/json.ts';
import { Redactor } from '../domain/redactor.ts';
import type { Authorizer } from '../http/authorizer.ts';
import { retryAfter } from '../http/retry-after.ts';
import { fits } from '../http/schema.ts';
import type { HttpAnswer, Transport } from '../http/transport.ts';
import { type AccessToken, type Credential, LateError, openTokenCache } from './token-cache.ts';

export interface ClientCredentialsOptions extends Omit<Credential, 'secret'> {
  readonly clientSecret: string;
  /** What stands for it where tokens are kept, if it does not itself. */
  readonly command?: string | undefined;
  /** Name of the service, for messages. */
  readonly service: string;
  /** Where access tokens are kept between commands. */
  readonly directory: string;
  /** What a call may take that does not say so, in milliseconds. */
  readonly timeout: number;
  readonly now: Clock;
  /** Bound to the token URL. */
  readonly transport: Transport;
  /** Told every access token, so that it can be taken out of what is shown; hands it back. */
  readonly remember: (secret: string) => string;
}

export interface ClientCredentials extends Authorizer {
  header(timeout?: number): Promise<string>;
  renew(refused: string, timeout?: number): Promise<string>;
  /** Releases the cache, as soon as no renewal is under way. */
  close(): Promise<void>;
}

const SCHEME = 'Bearer ';

/** How much of a call's time may pass while another process gets the token. */
const PATIENCE_SHARE = 2 / 3;

/**
 * Gets access tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4), and keeps them for
 * later commands.
 *
 * Its methods throw Failures: `unauthorized` when the server refuses, `unavailable` when it cannot
 * be asked now, `bad_response` when its answer is none that the standard knows. Their outcome is
 * never unknown, because what the token is for was not sent yet; no secret is in their messages.
 *
 * @throws Failure as `openTokenCache`
 */
export function createClientCredentials(options: ClientCredentialsOptions): ClientCredentials {
  const { directory, clientSecret, command, now, remember } = options;
  const secret = command === undefined ? clientSecret : { command };
  const cache = openTokenCache(
    directory,
    { ...options, secret },
    { now, patience: options.timeout },
  );
  const renew = async (refused: string | undefined, timeout = options.timeout) => {
    const end = performance.now() + timeout;
    const fetch = () => requestToken(options, Math.max(1, end - performance.now()));
    try {
      return await cache.renew(refused, timeout * PATIENCE_SHARE, fetch);
    } catch (error) {
      throw error instanceof LateError ? lateToken(options, timeout * PATIENCE_SHARE) : error;
    }
  };
  const headerOf = (token: string) => SCHEME + remember(token);
  return {
    header: async (timeout) => headerOf(cache.read() ?? (await renew(undefined, timeout))),
    renew: async (refused, timeout) => headerOf(await renew(refused.slice(SCHEME.length), timeout)),
    close: () => cache.close(),
  };
}

async function requestToken(
  options: ClientCredentialsOptions,
  timeout: number,
): Promise<AccessToken> {
  const { tokenUrl, clientId, clientSecret, scope, remember } = options;
  const oauth = await import('oauth4webapi');
  const server = { issuer: tokenUrl.origin, token_endpoint: tokenUrl.href };
  const client = { client_id: clientId };
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.ClientSecretPost(clientSecret),
    scope === undefined ? {} : { scope },
    // What may travel unencrypted is for the transport to say.
    { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: carrierOf(options, timeout) },
  );
  const bad = (what: string) => badAnswer(options, response.status, what);
  let answer: TokenEndpointResponse;
  try {
    answer = await oauth.processClientCredentialsResponse(server, client, response);
  } catch (error) {
    const isForeign =
      error instanceof oauth.OperationProcessingError ||
      error instanceof oauth.UnsupportedOperationError;
    if (!isForeign) throw error;
    // Its message is the library's alone. Its cause is left behind: it may hold the token.
    throw bad(`is no token response: ${error.message}`);
  }
  const { access_token: value, token_type, expires_in: expiresIn } = answer;
  remember(value);
  if (token_type !== 'bearer') throw bad('gives a token of another type than Bearer');
  if (!/^[\x21-\x7e]+$/.test(value)) throw bad('gives a token that cannot travel in a header');
  return { value, expiresIn };
}

/** Carries the library's request over our transport, and only a successful answer back. */
function carrierOf(options: ClientCredentialsOptions, timeout: number) {
  const { transport, tokenUrl } = options;
  return async (_: string, request: CustomFetchOptions<'POST', URLSearchParams>) => {
    const { 'user-agent': _theirs, ...headers } = request.headers;
    const answer = await transport(
      {
        method: 'POST',
        // A transport takes its base URL without a last slash and query: some endpoints have them.
        path: /.\/$/.test(tokenUrl.pathname) ? '/' : '',
        query: tokenUrl.searchParams,
        headers,
        body: request.body.toString(),
      },
      // Leaves time for what the token is for.
      { repeatable: true, share: 1 / 2, timeout },
    ).catch((error) => Promise.reject(withKnownOutcome(error)));
    if (answer.status !== 200) throw refusal(answer, options);
    return new Response(answer.body, { headers: answer.headers });
  };
}

/** A token that was lost on its way changed nothing: the request it is for was never sent. */
function withKnownOutcome(error: unknown): unknown {
  if (!(error instanceof Failure) || !error.outcomeUnknown) return error;
  const { code, message, hint, service, status, reason } = error;
  return new Failure(code, message, { hint, service, status, reason, cause: error });
}

/** An error of RFC 6749, section 5.2. */
const ErrorAnswer = z.object({
  error: z.string().check(z.minLength(1)),
  error_description: z.optional(z.unknown()),
});

function refusal(answer: HttpAnswer, options: ClientCredentialsOptions): Failure {
  const { service } = options;
  const { status } = answer;
  if (status === 408 || status === 429 || status >= 500) return unavailable(answer, options);
  const body = parseJson(answer.body);
  const said = fits(ErrorAnswer, body) ? body : undefined;
  const isError = status >= 400 && (said !== undefined || status === 401);
  if (!isError) return badAnswer(options, status, `is ${status}, but no OAuth 2.0 error`);
  const reason = said && quote(said.error, options);
  const { what, hint } = explainRefusal(status, said, options);
  const message = `${service}: ${what} (${reason ?? status})`;
  const words = typeof said?.error_description === 'string' ? said.error_description : '';
  const description = quote(words, options).replace(/\.$/, '');
  return new Failure('unauthorized', `${[message, description].filter(Boolean).join(': ')}.`, {
    hint,
    service,
    status,
    reason,
  });
}

function explainRefusal(
  status: number,
  said: z.infer<typeof ErrorAnswer> | undefined,
  { scope = '' }: ClientCredentialsOptions,
): { what: string; hint: string } {
  if (said?.error === 'invalid_scope') {
    const what = scope ? `the scope ${JSON.stringify(cut(scope))}` : 'a request without a scope';
    return { what: `${what} was refused`, hint: 'Ask for a scope that this client may have.' };
  }
  if (status === 401 || /^(invalid|unauthorized)_client$/.test(said?.error ?? '')) {
    const hint = 'Check both, and store them anew: leasectl profile edit';
    return { what: 'the client id or secret was refused', hint };
  }
  return {
    what: 'the token endpoint refused to give a token',
    hint: 'Check the token URL, and what the client may do there.',
  };
}

function unavailable(
  { status, headers }: HttpAnswer,
  { service, tokenUrl, now }: ClientCredentialsOptions,
): Failure {
  const wait = retryAfter(headers, now());
  const when = wait === undefined ? 'later' : `in ${formatDuration(Math.ceil(wait / 1000))}`;
  const message = `${service}: ${tokenUrl.origin} gives no access token now (${status}).`;
  return new Failure('unavailable', message, { hint: `Try again ${when}.`, service, status });
}

function lateToken({ service }: ClientCredentialsOptions, waited: number): Failure {
  const time = `${(waited / 1000).toFixed(1)} s`;
  const message = `${service}: another leasectl did not finish getting an access token in ${time}.`;
  return new Failure('unavailable', message, {
    hint: 'Try again; --timeout allows more time.',
    service,
  });
}

function badAnswer(
  { service, tokenUrl }: ClientCredentialsOptions,
  status: number,
  what: string,
): Failure {
  const where = tokenUrl.origin + tokenUrl.pathname;
  return new Failure('bad_response', `${service}: the answer of ${where} ${what}.`, {
    hint: 'Check the token URL: is this an OAuth 2.0 token endpoint?',
    service,
    status,
  });
}

/** A server's words, without the secret that it may have repeated, as it is or as it was sent. */
function quote(words: string, { clientSecret }: ClientCredentialsOptions): string {
  const redactor = new Redactor();
  redactor.add(clientSecret);
  redactor.add(new URLSearchParams({ '': clientSecret }).toString().slice(1));
  return cut(redactor.clean(words));
}

/** Longest piece of a server's words in a message, in characters. */
const MAX_WORDS = 500;

function cut(text: string): string {
  return text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS - 1)}…` : text;
}
