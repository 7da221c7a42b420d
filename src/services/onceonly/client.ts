import type * as z from 'zod/mini';
import { formatDuration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import {
  acquire,
  CHANGING,
  createCall,
  LOOKING_AFTER,
  otherSubject,
  withWhatIsKnown,
} from '../../http/call.ts';
import { DryRun } from '../../http/dry-run.ts';
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
  /**
   * Whether the service is known to answer an acquisition with the same `Idempotency-Key` as the
   * first time, so that it may be sent again.
   */
  readonly knowsAcquisitions: () => boolean;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

export function createOnceOnlyClient(options: OnceOnlyClientOptions): OnceOnlyClient {
  const { transport, knowsAcquisitions, clean } = options;

  const call = createCall(transport, onceOnlyErrors, clean);

  const get = async <T extends { key: string }>(
    path: string,
    key: string,
    schema: z.ZodMiniType<T>,
    patience: SendOptions = { repeatable: true },
  ) => {
    const query = new URLSearchParams({ key });
    return about(
      key,
      await call(schema, { method: 'GET', path, query }, { ...patience, subject: key }),
    );
  };
  const change = async <T extends { key: string }>(
    path: string,
    body: { key: string },
    schema: z.ZodMiniType<T>,
  ) => {
    const options = { ...CHANGING, repeatable: true, subject: body.key };
    return about(body.key, await call(schema, { method: 'POST', path, body }, options));
  };
  const look = (key: string) => get(STATUS, key, StatusResponse, LOOKING_AFTER);
  const lease = async (path: string, body: LeaseRequest, idempotencyKey: string) => {
    const { key } = body;
    const headers = { 'idempotency-key': idempotencyKey };
    const request = { method: 'POST', path, body, headers } as const;
    return acquire(
      async (options) =>
        about(key, await call(LeaseResponse, request, { ...options, subject: key })),
      knowsAcquisitions,
      async () => {
        const { words } = await lookAt(() => look(key));
        return {
          words: `Whether it acquired is unknown; the key is now ${words}.`,
          hint: 'If nobody else holds it, this call may: wait until it runs out, then try again.',
        };
      },
    );
  };

  return {
    lease: (body, idempotencyKey) => lease('/v1/ai/lease', body, idempotencyKey),
    run: (body, idempotencyKey) => lease('/v1/ai/run', body, idempotencyKey),
    runTool: async (body) => {
      const options = { repeatable: false, subject: body.tool };
      try {
        return await call(ToolRunResponse, { method: 'POST', path: '/v1/ai/run', body }, options);
      } catch (error) {
        throw await withWhatIsKnown(error, async () => ({
          words: `Whether ${body.tool} ran is unknown.`,
          hint: 'Find out what it did before it is run again.',
        }));
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

/** @throws Failure `bad_response` when the answer is about another key than was asked for */
function about<T extends { key: string }>(key: string, answer: T): T {
  if (answer.key === key) return answer;
  throw otherSubject(onceOnlyErrors, key, 'key');
}

/** What a key's state means to somebody who wanted, or had, a lease on it. */
export interface KeyState {
  /** In a few words, for messages. */
  readonly words: string;
  /** `finished`: it will not be leased again. */
  readonly kind: 'held' | 'free' | 'finished' | 'unknown';
}

/** @param status asks for the state; that it fails is told in the words */
export async function lookAt(status: () => Promise<StatusResponse>): Promise<KeyState> {
  try {
    return describeState(await status());
  } catch (error) {
    if (error instanceof DryRun) return { words: 'not looked at in a dry run', kind: 'unknown' };
    const isGone = error instanceof Failure && error.code === 'not_found';
    return isGone
      ? { words: 'not held', kind: 'free' }
      : { words: 'in a state that could not be read', kind: 'unknown' };
  }
}

function describeState({ status, error_code, ttl_left }: StatusResponse): KeyState {
  if (status !== 'in_progress') {
    const words = error_code ? `${status} (${error_code})` : status;
    return { words, kind: error_code === 'expired' ? 'free' : 'finished' };
  }
  const left = ttl_left == null ? '' : ` for ${formatDuration(ttl_left)} more`;
  return { words: `in progress${left}`, kind: 'held' };
}
