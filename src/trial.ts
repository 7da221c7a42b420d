import type * as z from 'zod/mini';
import { type ClientPort, type ConnectOptions, connectTo } from './connect.ts';
import type { Context } from './context.ts';
import { Failure } from './domain/failure.ts';
import type { CallRequest } from './http/call.ts';
import type { ErrorDialect } from './http/exchange.ts';
import { type HttpAnswer, KNOWS_ACQUISITIONS, type Transport } from './http/transport.ts';
import { type Profile, type ServiceName, secretOf, storeWith } from './profiles/profile.ts';
import { type HostedTarget, networkOf } from './profiles/resolve.ts';

/** A request for each service that changes nothing, and which only an accepted token gets answered. */
const HARMLESS: Readonly<Record<ServiceName, (port: ClientPort) => Promise<unknown>>> = {
  onceonly: async (port) => {
    const [{ onceOnlyErrors }, { StatusResponse }] = await Promise.all([
      import('./services/onceonly/errors.ts'),
      import('./services/onceonly/wire.ts'),
    ]);
    const query = new URLSearchParams({ key: 'leasectl-looks-whether-it-may-ask' });
    return ask(port, onceOnlyErrors, StatusResponse, {
      method: 'GET',
      path: '/v1/ai/status',
      query,
    });
  },
  retaia: async (port) => {
    const { createRetaiaClient } = await import('./services/retaia/client.ts');
    return createRetaiaClient(port).list(1);
  },
  askui: async (port) => {
    const [{ askUiErrors }, { PingAnswer }] = await Promise.all([
      import('./services/askui/errors.ts'),
      import('./services/askui/wire.ts'),
    ]);
    // Nobody has this: AskUI has no other request that changes nothing.
    const query = new URLSearchParams({ ack: '00000000-0000-4000-8000-000000000000' });
    const path = '/api/v1/runner-jobs/ping';
    return ask(port, askUiErrors, PingAnswer, { method: 'POST', path, query });
  },
  leasectl: async (port) => {
    const transport: Transport = async (request, options) => {
      const answer = await port.transport(request, options);
      if (KNOWS_ACQUISITIONS in answer.headers) return answer;
      throw notLeasectl(answer);
    };
    try {
      return await HARMLESS.onceonly({ ...port, transport });
    } catch (error) {
      // A token that is for jobs only is none the worse for that.
      if (error instanceof Failure && error.status === 403) return undefined;
      throw error;
    }
  },
};

/** What others answer may mean something else, and they are not to be trusted with repetitions. */
function notLeasectl({ status }: HttpAnswer): Failure {
  return new Failure('bad_response', 'What answers there is not served by leasectl.', {
    hint: "Check the profile's URL, which is that of leasectl serve, and its --service.",
    service: 'leasectl',
    status,
  });
}

/** Not as the clients do it: what is asked about is made up, and a 404 may be another server's. */
async function ask<T>(
  { transport, clean }: ClientPort,
  dialect: ErrorDialect,
  schema: z.ZodMiniType<T>,
  request: CallRequest,
): Promise<T> {
  const { createCall } = await import('./http/call.ts');
  return createCall(transport, dialect, clean)(schema, request, { repeatable: true });
}

/** The service looked at what was asked: so it took the token. */
const ACCEPTED = new Set(['not_found', 'lease_lost', 'conflict', 'invalid_request']);

/**
 * Tries what a profile says against its service.
 *
 * @param options.timeout milliseconds
 * @returns what the service says of it, in words
 * @throws Failure when it cannot be asked, or does not take the token
 */
export async function tryOut(
  context: Context,
  name: string,
  { service, url, credential, ...files }: Profile,
  options: TrialOptions,
): Promise<string> {
  const stored = secretOf(credential);
  if (credential === undefined || stored === undefined) {
    throw new Failure('unauthorized', `Profile ${name} has no token.`, {
      hint: `Store one: ${storeWith(name, credential?.type)}`,
    });
  }
  const target: HostedTarget = {
    type: 'hosted',
    profile: name,
    service,
    url: new URL(url),
    secret: { stored, profile: name },
    authentication: credential,
    network: networkOf(files),
  };
  const { words, restriction } = await tryTarget(context, target, service, options);
  return restriction === undefined ? `${words}.` : `${words}, but: ${restriction}`;
}

type TrialOptions = Pick<ConnectOptions, 'version' | 'timeout' | 'progress'>;

export interface Trial {
  /** That the service takes the token, without a full stop. */
  readonly words: string;
  /** Set where it does not let it do even that. */
  readonly restriction: string | undefined;
}

/** As {@link tryOut}, with a target that is known already. */
export async function tryTarget(
  context: Context,
  target: HostedTarget,
  service: ServiceName,
  options: TrialOptions,
): Promise<Trial> {
  const { profile, url, authentication } = target;
  const who = 'client_id' in authentication ? `client ${authentication.client_id}` : 'the token';
  const words = `${url.origin} takes ${who}`;
  const how = { ...options, profile, isTrial: true };
  const port = await connectTo(context, target, service, how, async (p) => p);
  try {
    await HARMLESS[service](port.client);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 403) return { words, restriction: error.message };
    if (!ACCEPTED.has(error.code)) throw error;
  }
  return { words, restriction: undefined };
}
