import type { Failure } from './domain/failure.ts';
import { parseJson } from './domain/json.ts';
import { withWhatIsKnown } from './http/call.ts';
import { type ErrorDialect, isSuccess, refusal } from './http/exchange.ts';
import type { HttpAnswer, HttpRequest, Transport } from './http/transport.ts';
import type { ServiceName } from './profiles/profile.ts';

/** Any endpoint of a service. */
export interface AnyClient {
  /**
   * Sends a request, and again only where that does no more than sending it once.
   *
   * @throws Failure `unavailable` when no answer came
   */
  send(request: HttpRequest): Promise<Exchanged>;
}

export interface Exchanged {
  readonly answer: HttpAnswer;
  /** What the answer means to the service's own commands; undefined for a status of success. */
  readonly failure: Failure | undefined;
}

export interface AnyClientOptions {
  readonly transport: Transport;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

type ErrorDialectAt = (path: string) => Promise<ErrorDialect>;

const DIALECTS: Readonly<Record<ServiceName, ErrorDialectAt>> = {
  onceonly: async () => (await import('./services/onceonly/errors.ts')).onceOnlyErrors,
  retaia: async () => (await import('./services/retaia/errors.ts')).retaiaErrors,
  askui: async () => (await import('./services/askui/errors.ts')).askUiErrors,
  leasectl: async (path) => {
    if (path.startsWith('/admin/')) return (await import('./services/admin/errors.ts')).adminErrors;
    if (path.startsWith('/api/v1/runner-jobs')) return DIALECTS.askui(path);
    return path.startsWith('/api/v1/') ? DIALECTS.retaia(path) : DIALECTS.onceonly(path);
  },
};

export async function createAnyClient(
  service: ServiceName,
  { transport, clean }: AnyClientOptions,
): Promise<AnyClient> {
  return {
    send: async (request) => {
      const { method, path } = request;
      const dialect = await DIALECTS[service](path);
      const repeatable = method === 'GET' || method === 'HEAD';
      let answer: HttpAnswer;
      try {
        answer = await transport(request, { repeatable });
      } catch (error) {
        throw repeatable ? error : await withWhatIsKnown(error, async () => UNKNOWN);
      }
      if (isSuccess(answer)) return { answer, failure: undefined };
      // Nobody knows which paths there are: to have none of this name is an answer like another.
      const isWorded = dialect.read(parseJson(answer.body)) !== undefined;
      const statuses = isWorded ? {} : { 404: NO_SUCH_PATH };
      const options = { repeatable, clean, statuses, subject: `${method} ${path}` };
      return { answer, failure: refusal(answer, options, dialect) };
    },
  };
}

const UNKNOWN = {
  words: 'Whether the service took the request is unknown.',
  hint: 'Find out what it did before it is sent again.',
};

const NO_SUCH_PATH = {
  code: 'not_found',
  hint: "Check the path, which begins below the profile's URL.",
} as const;
