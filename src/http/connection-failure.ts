import { Failure } from '../domain/failure.ts';

/** A proxy that gives no way to the service. Nothing was sent there. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** The proxy's answer; undefined where it cannot be reached, for a reason that the cause tells. */
  readonly status: number | undefined;
  /** Its origin. */
  readonly proxy: string;

  constructor(proxy: string, { status, cause }: { status?: number; cause?: unknown }) {
    super(`the proxy ${proxy} ${status === undefined ? 'is out of reach' : `said ${status}`}`, {
      cause,
    });
    this.proxy = proxy;
    this.status = status;
  }
}

/** The connection was never there, so nothing was sent. */
const NEVER_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|(UND_ERR_)?CONNECT_TIMEOUT)$/;
/** TLS did not come about, so nothing was sent either, and will not the next time. */
const NO_TLS: readonly { readonly codes: RegExp; readonly hint: string }[] = [
  {
    codes:
      /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_(UNTRUSTED|REJECTED|SIGNATURE_FAILURE)|INVALID_CA)/,
    hint: 'Its certificate is signed by an authority that this machine does not know. If you trust it, name its certificate in NODE_EXTRA_CA_CERTS; or for the URL of a profile alone: leasectl profile edit NAME --ca-file FILE',
  },
  {
    codes: /^CERT_HAS_EXPIRED$/,
    hint: "Its certificate has expired: whoever runs it has to renew it. Or this machine's clock is wrong.",
  },
  {
    codes: /^CERT_NOT_YET_VALID$/,
    hint: "Its certificate is not valid yet: is this machine's clock right?",
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    hint: "Its certificate is for another host: check the profile's URL.",
  },
  {
    codes:
      /^ERR_SSL_(TLSV\d+|SSLV3|TLS)_ALERT_(CERTIFICATE_\w+|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE|ACCESS_DENIED|NO_CERTIFICATE)$/,
    hint: 'It accepts only those with a certificate that it knows: leasectl profile edit NAME --client-cert FILE --client-key FILE',
  },
  {
    codes: /^(ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)|EPROTO)$/,
    hint: "It speaks no TLS there, or another version of it: check the profile's URL, and its port.",
  },
  { codes: /^(CERT_|ERR_TLS_)/, hint: "Check the profile's URL and its certificate." },
];

/** What came is no HTTP, or is not packed as it says. */
const GARBLED =
  /^(HTTPParserError|HPE_(?!INVALID_EOF)|Z_(?!BUF)|ERR__ERROR_FORMAT|UND_ERR_HEADERS_OVERFLOW|ERR_ASSERTION)/;

const TRY_AGAIN = 'Check the network and try again; --timeout allows more time.';

/** Whether an attempt failed before any of it could reach the service. */
export function isNeverSent(error: unknown): boolean {
  const code = systemCode(error) ?? '';
  return proxyErrorIn(error) !== undefined || NEVER_SENT.test(code) || hasNoTls(code) !== undefined;
}

/** Whether the next attempt would fail the same way: a name, a certificate or a password is wrong. */
export function isHopeless(error: unknown): boolean {
  const code = systemCode(error) ?? '';
  const status = proxyErrorIn(error)?.status ?? 500;
  return code === 'ENOTFOUND' || status < 500 || hasNoTls(code) !== undefined;
}

function hasNoTls(code: string) {
  return NO_TLS.find(({ codes }) => codes.test(code));
}

/** @param took milliseconds since the call began */
export function noAnswer(
  error: unknown,
  { service, baseUrl }: { readonly service: string; readonly baseUrl: URL },
  took: number,
): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  const code = systemCode(error);
  const timedOut = error.name === 'TimeoutError' || error.name === 'AbortError';
  // What carries requests throws nothing else when the network fails: the rest is a bug, and has to
  // look like one.
  if (!timedOut && !(error instanceof TypeError)) return error;
  const proxyError = proxyErrorIn(error);
  if (proxyError) return proxyFailure(proxyError, service);
  if (!timedOut && GARBLED.test(code ?? '')) {
    return new Failure('bad_response', `${service}: ${baseUrl.origin} answers no HTTP (${code}).`, {
      hint: "Check the profile's URL: is this the service, or a proxy in between?",
      service,
      outcomeUnknown: true,
      cause: error,
    });
  }
  const isOut = !timedOut && isNeverSent(error);
  const what = timedOut
    ? `no answer from ${baseUrl.origin} within ${(took / 1000).toFixed(1)} s`
    : `${isOut ? 'no' : 'lost the'} connection to ${baseUrl.origin} (${code ?? error.message})`;
  const wrongName =
    code === 'ENOTFOUND' ? 'Check the URL, and whether there is a network.' : undefined;
  return new Failure('unavailable', `${service}: ${what}.`, {
    hint: (timedOut ? undefined : (wrongName ?? hasNoTls(code ?? '')?.hint)) ?? TRY_AGAIN,
    service,
    outcomeUnknown: !isOut,
    cause: error,
  });
}

function proxyFailure(error: ProxyError, service: string): Failure {
  const { proxy, status, cause } = error;
  const code = systemCode(cause);
  const what =
    status === undefined
      ? `no connection to the proxy ${proxy} (${code ?? 'broken off'})`
      : `the proxy ${proxy} refuses to connect (${status})`;
  return new Failure('unavailable', `${service}: ${what}.`, {
    hint: proxyHint(status, hasNoTls(code ?? '') !== undefined),
    service,
    status,
    cause: error,
  });
}

function proxyHint(status: number | undefined, hasNoTls: boolean): string {
  if (status === 407) {
    return 'It wants a user and a password, or others: set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT';
  }
  if (hasNoTls) return 'Check HTTPS_PROXY: does it begin with http:// or with https://?';
  if (status !== undefined && status >= 500) return 'Check the URL of the profile, and try again.';
  return 'Check HTTPS_PROXY; NO_PROXY names the hosts that are reached without it.';
}

function proxyErrorIn(error: unknown): ProxyError | undefined {
  if (error instanceof ProxyError) return error;
  return error instanceof Error ? proxyErrorIn(error.cause) : undefined;
}

/**
 * The system's code, or the parser's, which is hidden in the cause of a `TypeError`, as `fetch` does it, or in
 * an error list there.
 */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error.name === 'HTTPParserError') return error.name;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return systemCode(inner);
}
