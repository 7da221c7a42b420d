import type * as z from 'zod/mini';
import { formatDuration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { type ExchangeOptions, exchange } from '../../http/exchange.ts';
import type { SendOptions, Transport } from '../../http/transport.ts';
import { onceOnlyErrors } from './errors.ts';
import {
  type CancelRequest,
  type CompleteRequest,
  type ExtendRequest,
  ExtendResponse,
  type FailRequest,
  FinishResponse,
  type LeaseRequest,
  LeaseResponse,
  ResultResponse,
  StatusResponse,
  type ToolRunRequest,
  ToolRunResponse,
} from './wire.ts';

/**
 * OnceOnly's endpoints. Every method answers with the service's own object, checked against the
 * contract, and throws a Failure for everything else.
 */
export interface OnceOnlyClient {
  /**
   * @param idempotencyKey one per intent to acquire; its repetition never acquires twice
   * @throws Failure `unavailable` when no answer came, saying what the key's state is now
   */
  lease(request: LeaseRequest, idempotencyKey: string): Promise<LeaseResponse>;
  /** As `lease`; the hosted service also queues the work. */
  run(request: LeaseRequest, idempotencyKey: string): Promise<LeaseResponse>;
  runTool(request: ToolRunRequest): Promise<ToolRunResponse>;
  status(key: string): Promise<StatusResponse>;
  /** As `status`, but in a hurry: to say what became of a key after something went wrong. */
  look(key: string): Promise<StatusResponse>;
  result(key: string): Promise<ResultResponse>;
  extend(request: ExtendRequest): Promise<ExtendResponse>;
  complete(request: CompleteRequest): Promise<FinishResponse>;
  cancel(request: CancelRequest): Promise<FinishResponse>;
  fail(request: FailRequest): Promise<FinishResponse>;
}

export interface OnceOnlyClientOptions {
  readonly transport: Transport;
  /** Whether the service honours `Idempotency-Key`, so that an acquisition may be sent again. */
  readonly honoursIdempotencyKey: boolean;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

export function createOnceOnlyClient(options: OnceOnlyClientOptions): OnceOnlyClient {
  const { transport, honoursIdempotencyKey, clean } = options;

  const get = async <T extends { key: string }>(
    path: string,
    key: string,
    schema: z.ZodMiniType<T>,
    patience: SendOptions = { repeatable: true },
  ) => {
    const query = new URLSearchParams({ key });
    const request = { method: 'GET', path, query, headers: {}, body: '' } as const;
    const options = { ...patience, subject: key, clean };
    return about(key, await exchange(transport, request, options, schema, onceOnlyErrors));
  };
  const post = <T>(
    path: string,
    body: object,
    schema: z.ZodMiniType<T>,
    options: ExchangeOptions,
    headers: Record<string, string> = {},
  ) => {
    const query = new URLSearchParams();
    const request = { method: 'POST', path, query, headers, body: JSON.stringify(body) } as const;
    return exchange(transport, request, options, schema, onceOnlyErrors);
  };
  const change = async <T extends { key: string }>(
    path: string,
    body: { key: string },
    schema: z.ZodMiniType<T>,
  ) => {
    const options = { ...CHANGING, repeatable: true, subject: body.key, clean };
    return about(body.key, await post(path, body, schema, options));
  };
  const look = (key: string) => get(STATUS, key, StatusResponse, LOOKING_AFTER);
  const acquire = async (path: string, body: LeaseRequest, idempotencyKey: string) => {
    const { key } = body;
    const options = { ...CHANGING, repeatable: honoursIdempotencyKey, subject: key, clean };
    try {
      const headers = { 'idempotency-key': idempotencyKey };
      return about(key, await post(path, body, LeaseResponse, options, headers));
    } catch (error) {
      if (!(error instanceof Failure) || !error.outcomeUnknown) throw error;
      throw await outcomeUnknown(error, () => look(key));
    }
  };

  return {
    lease: (body, idempotencyKey) => acquire('/v1/ai/lease', body, idempotencyKey),
    run: (body, idempotencyKey) => acquire('/v1/ai/run', body, idempotencyKey),
    runTool: async (body) => {
      const options = { repeatable: false, subject: body.tool, clean };
      try {
        return await post('/v1/ai/run', body, ToolRunResponse, options);
      } catch (error) {
        if (!(error instanceof Failure) || !error.outcomeUnknown) throw error;
        throw new Failure(error.code, `${error.message} Whether ${body.tool} ran is unknown.`, {
          hint: 'Find out what it did before it is run again.',
          service: error.service,
          status: error.status,
          outcomeUnknown: true,
          cause: error,
        });
      }
    },
    status: (key) => get(STATUS, key, StatusResponse),
    look,
    result: (key) => get('/v1/ai/result', key, ResultResponse),
    extend: (body) => change('/v1/ai/extend', body, ExtendResponse),
    complete: (body) => change('/v1/ai/complete', body, FinishResponse),
    cancel: (body) => change('/v1/ai/cancel', body, FinishResponse),
    fail: (body) => change('/v1/ai/fail', body, FinishResponse),
  };
}

const STATUS = '/v1/ai/status';

/** A change leaves time to look at what became of the key, should it be refused or lost. */
const CHANGING = { share: 2 / 3 };
const LOOKING_AFTER = { repeatable: false, share: 1 / 3 };

/** @throws Failure `bad_response` when the answer is about another key than was asked for */
function about<T extends { key: string }>(key: string, answer: T): T {
  if (answer.key === key) return answer;
  const { service } = onceOnlyErrors;
  throw new Failure('bad_response', `${service}: asked for ${key}, it answered for another key.`, {
    hint: "Check the profile's URL: is this the service, or something that caches in between?",
    service,
    outcomeUnknown: true,
  });
}

/** Says what can be said of an acquisition whose answer was lost: nothing is assumed. */
async function outcomeUnknown(
  lost: Failure,
  status: () => Promise<StatusResponse>,
): Promise<Failure> {
  const { words } = await lookAt(status);
  const message = `${lost.message} Whether it acquired is unknown; the key is now ${words}.`;
  return new Failure(lost.code, message, {
    hint: 'If nobody else holds it, this call may: wait until it runs out, then try again.',
    service: lost.service,
    status: lost.status,
    outcomeUnknown: true,
    cause: lost,
  });
}

/** What a key's state means to somebody who wanted, or had, a lease on it. */
export interface KeyState {
  /** In a few words, for messages. */
  readonly words: string;
  /** Whether it is known to be finished, and so will not be leased again. */
  readonly isFinished: boolean;
}

/** @param status asks for the state; that it fails is told in the words */
export async function lookAt(status: () => Promise<StatusResponse>): Promise<KeyState> {
  try {
    return describeState(await status());
  } catch (error) {
    const isGone = error instanceof Failure && error.code === 'not_found';
    const words = isGone ? 'not held' : 'in a state that could not be read';
    return { words, isFinished: false };
  }
}

function describeState({ status, error_code, ttl_left }: StatusResponse): KeyState {
  if (status !== 'in_progress') {
    const words = error_code ? `${status} (${error_code})` : status;
    return { words, isFinished: error_code !== 'expired' };
  }
  const left = ttl_left == null ? '' : ` for ${formatDuration(ttl_left)} more`;
  return { words: `in progress${left}`, isFinished: false };
}
