import type * as z from 'zod/mini';
import { formatDuration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { exchange } from '../../http/exchange.ts';
import type { Transport } from '../../http/transport.ts';
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
}

export function createOnceOnlyClient(options: OnceOnlyClientOptions): OnceOnlyClient {
  const { transport, honoursIdempotencyKey } = options;

  const get = <T>(path: string, key: string, schema: z.ZodMiniType<T>) => {
    const query = new URLSearchParams({ key });
    const request = { method: 'GET', path, query, headers: {}, body: '' } as const;
    return exchange(transport, request, { repeatable: true, subject: key }, schema, onceOnlyErrors);
  };
  const post = <T>(
    path: string,
    body: { key: string } | ToolRunRequest,
    schema: z.ZodMiniType<T>,
    repeatable: boolean,
    headers: Record<string, string> = {},
  ) => {
    const query = new URLSearchParams();
    const request = { method: 'POST', path, query, headers, body: JSON.stringify(body) } as const;
    const subject = 'key' in body ? body.key : body.tool;
    return exchange(transport, request, { repeatable, subject }, schema, onceOnlyErrors);
  };
  const status = (key: string) => get('/v1/ai/status', key, StatusResponse);
  const acquire = async (path: string, body: LeaseRequest, idempotencyKey: string) => {
    try {
      const headers = { 'idempotency-key': idempotencyKey };
      return await post(path, body, LeaseResponse, honoursIdempotencyKey, headers);
    } catch (error) {
      if (!(error instanceof Failure) || !isLostAnswer(error)) throw error;
      throw await outcomeUnknown(body.key, error, status);
    }
  };

  return {
    lease: (body, idempotencyKey) => acquire('/v1/ai/lease', body, idempotencyKey),
    run: (body, idempotencyKey) => acquire('/v1/ai/run', body, idempotencyKey),
    runTool: (body) => post('/v1/ai/run', body, ToolRunResponse, false),
    status,
    result: (key) => get('/v1/ai/result', key, ResultResponse),
    extend: (body) => post('/v1/ai/extend', body, ExtendResponse, true),
    complete: (body) => post('/v1/ai/complete', body, FinishResponse, true),
    cancel: (body) => post('/v1/ai/cancel', body, FinishResponse, true),
    fail: (body) => post('/v1/ai/fail', body, FinishResponse, true),
  };
}

function isLostAnswer(failure: Failure): boolean {
  return failure.code === 'unavailable' && failure.outcomeUnknown;
}

/** Says what can be said of an acquisition whose answer was lost: nothing is assumed. */
async function outcomeUnknown(
  key: string,
  lost: Failure,
  status: OnceOnlyClient['status'],
): Promise<Failure> {
  const { words } = await lookAt(key, status);
  const message = `${lost.message} Whether it acquired is unknown; the key is now ${words}.`;
  return new Failure('unavailable', message, {
    hint: 'If nobody else holds it, this call may: wait until it runs out, then try again.',
    service: lost.service,
    status: lost.status,
    outcomeUnknown: true,
    cause: lost,
  });
}

/** A key's state for messages: in a few words, and whether it may be leased, now or later. */
export async function lookAt(
  key: string,
  status: OnceOnlyClient['status'],
): Promise<{ words: string; mayLease: boolean }> {
  try {
    return describeState(await status(key));
  } catch (error) {
    const isGone = error instanceof Failure && error.code === 'not_found';
    return { words: isGone ? 'not held' : 'in a state that could not be read', mayLease: isGone };
  }
}

function describeState(answer: StatusResponse): { words: string; mayLease: boolean } {
  const { status, error_code, ttl_left } = answer;
  if (status !== 'in_progress') {
    const words = error_code ? `${status} (${error_code})` : status;
    return { words, mayLease: error_code === 'expired' };
  }
  const left = ttl_left == null ? '' : ` for ${formatDuration(ttl_left)} more`;
  return { words: `in progress${left}`, mayLease: true };
}
