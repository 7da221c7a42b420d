import { Failure } from '../domain/failure.ts';
import { isPrivate } from '../domain/private-url.ts';
import type { KyTransportOptions } from './ky-transport.ts';
import type { HttpRequest } from './transport.ts';

/** The headers that a request has on its way. */
export function headersOf(
  { headers, body }: Pick<HttpRequest, 'headers' | 'body'>,
  { userAgent, authorization }: Pick<KyTransportOptions, 'userAgent' | 'authorization'>,
): HttpRequest['headers'] {
  return {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(authorization ? { authorization } : {}),
    ...(body ? { 'content-type': 'application/json' } : {}),
    ...headers,
  };
}

/** Where a request goes: below the base URL, whatever its path is. */
export function urlOf(baseUrl: URL, request: Pick<HttpRequest, 'path' | 'query'>): URL {
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/$/, '') + request.path;
  url.search = request.query.toString();
  return url;
}

/** @throws Failure `usage` rather than let a token or a handle travel where anybody may read it */
export function assertPrivacy({
  baseUrl,
  service,
}: Pick<KyTransportOptions, 'baseUrl' | 'service'>): void {
  if (isPrivate(baseUrl)) return;
  throw new Failure(
    'usage',
    `${service}: a token is never sent to ${baseUrl.origin} unencrypted.`,
    {
      hint: 'Use an https:// URL; plain http is for loopback addresses only.',
    },
  );
}
