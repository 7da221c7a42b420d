import type * as z from 'zod/mini';
import { digestOf } from '../../domain/digest.ts';
import { isJsonObject } from '../../domain/json.ts';
import type { FinishCommand } from '../../engine/command.ts';
import type { AcquireDecision, Decision, Engine } from '../../engine/engine.ts';
import { type Instant, judgedAt, type Lease, phaseOf } from '../../engine/lease.ts';
import { json, type Route, type RouteRequest, timestamp } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { invalid, parseBody } from '../../http/validation.ts';
import { REASON_OF_REJECTION, refuse, refuseProblem } from './errors.ts';
import {
  CancelRequest,
  CompleteRequest,
  ExtendRequest,
  FailRequest,
  KeyQuery,
  LeaseRequest,
  ToolRunRequest,
} from './wire.ts';

/** Seconds, when a request names none. */
const DEFAULT_TTL = 300;
/** Longest wait, in seconds, that a caller is asked for between two looks at a held key. */
const POLL_INTERVAL = 5;

/** OnceOnly's endpoints over the lease engine. */
export function onceOnlyRoutes(engine: Engine): Route[] {
  return endpointsOf(engine).map((endpoint) => ({
    ...endpoint,
    scope: endpoint.method === 'GET' ? 'keys:read' : 'keys:write',
    refuse: refuseProblem,
  }));
}

function endpointsOf(engine: Engine): Omit<Route, 'scope' | 'refuse'>[] {
  const lease = posted(LeaseRequest, (body, request) => acquire(engine, body, request));
  const tool = posted(ToolRunRequest, async () => refuse('feature_not_available'));
  const finish = async (key: string, command: FinishCommand, { by }: RouteRequest) =>
    finished(key, await engine.change('key', key, command, by));
  return [
    { method: 'POST', path: '/v1/ai/lease', handle: lease },
    {
      method: 'POST',
      path: '/v1/ai/run',
      handle: async (request) => {
        const body = parseBody(request);
        const isTool =
          isJsonObject(body) && !('key' in body) && ('tool' in body || 'agent_id' in body);
        return isTool ? tool(request) : lease(request);
      },
    },
    {
      method: 'GET',
      path: '/v1/ai/status',
      handle: queried(async (key) => {
        const { lease, now } = await engine.look('key', key);
        return lease ? json(200, { ok: true, ...stateOf(lease, now) }) : refuse('not_found');
      }),
    },
    {
      method: 'GET',
      path: '/v1/ai/result',
      handle: queried(async (key) => {
        const { lease, now } = await engine.look('key', key);
        return lease ? json(200, resultOf(lease, now)) : refuse('not_found');
      }),
    },
    {
      method: 'POST',
      path: '/v1/ai/extend',
      handle: posted(ExtendRequest, async ({ key, lease_id: handle, ttl: asked }, { by }) => {
        const ttl = asked === undefined ? null : asked * 1000;
        const command = { type: 'extend', handle, ttl } as const;
        const { outcome } = await engine.change('key', key, command, by);
        if (outcome.type !== 'extended') return rejected(outcome);
        const { version } = outcome.lease;
        const seconds = outcome.lease.ttl / 1000;
        return json(200, { ok: true, status: 'extended', key, ttl: seconds, version });
      }),
    },
    {
      method: 'POST',
      path: '/v1/ai/complete',
      handle: posted(CompleteRequest, async ({ key, lease_id, result, result_hash }, request) => {
        const resultHash = result_hash ?? (result ? await digestOf(result) : null);
        const how = { ...command('complete', lease_id), result: result ?? null, resultHash };
        return finish(key, how, request);
      }),
    },
    {
      method: 'POST',
      path: '/v1/ai/cancel',
      handle: posted(CancelRequest, ({ key, lease_id, reason }, request) => {
        const errorCode = reason ? `canceled:${reason}` : 'canceled';
        return finish(key, { ...command('cancel', lease_id), errorCode }, request);
      }),
    },
    {
      method: 'POST',
      path: '/v1/ai/fail',
      handle: posted(FailRequest, ({ key, lease_id, error_code, error_hash }, request) => {
        const how = { errorCode: error_code, errorHash: error_hash ?? null };
        return finish(key, { ...command('fail', lease_id), ...how }, request);
      }),
    },
  ];
}

function command(way: FinishCommand['way'], handle: string): FinishCommand {
  const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
  return { type: 'finish', way, handle, ...nothing };
}

async function acquire(
  engine: Engine,
  body: LeaseRequest,
  request: RouteRequest,
): Promise<HttpAnswer> {
  const idempotencyKey = request.header('idempotency-key') || null;
  const acquisition = {
    kind: 'key',
    id: body.key,
    ttl: (body.ttl ?? DEFAULT_TTL) * 1000,
    metadata: body.metadata ?? null,
    idempotencyKey,
    requestHash: idempotencyKey === null ? null : await digestOf(body),
  } as const;
  const decision = await engine.acquire(acquisition, request.by);
  const { outcome, now } = decision;
  switch (outcome.type) {
    case 'acquired':
      return json(200, acquired(outcome.lease, decision));
    case 'held': {
      const { status: _, key, ...state } = stateOf(outcome.lease, now);
      const { ttl } = outcome.lease;
      const held = { ok: true, status: 'polling', key, ttl: ttl / 1000, ...state };
      return json(200, { ...held, ...spent(decision, 0) });
    }
    case 'finished': {
      const { status, key, ...state } = stateOf(outcome.lease, now);
      return json(200, { ok: true, status, key, ttl: null, ...state, ...spent(decision, 0) });
    }
    default:
      return rejected(outcome);
  }
}

/** The answer to an acquisition depends on nothing that came later: its repetition says the same. */
function acquired(lease: Lease, decision: AcquireDecision) {
  return {
    ok: true,
    status: 'acquired',
    key: lease.id,
    ttl: lease.acquisition.ttl / 1000,
    ttl_left: null,
    lease_id: lease.handle,
    version: lease.acquisition.version,
    first_seen_at: timestamp(lease.firstSeenAt),
    done_at: null,
    result_hash: null,
    error_code: null,
    retry_after_sec: null,
    ...spent(decision, 1),
  };
}

function spent({ usage, limit }: AcquireDecision, charged: 0 | 1) {
  return { usage, limit, charged };
}

/** What `status` tells, and what `lease` tells of a key that it does not acquire. */
function stateOf(lease: Lease, now: Instant) {
  const phase = phaseOf(lease, now);
  const left = lease.expiresAt - judgedAt(lease, now);
  const ended = phase === 'expired' ? lease.expiresAt : (lease.finish?.at ?? null);
  return {
    status: statusOf(lease, now),
    key: lease.id,
    // Rounded down: whoever relies on it must never believe in more time than there is.
    ttl_left: phase === 'held' ? Math.floor(left / 1000) : null,
    lease_id: lease.handle,
    version: lease.version,
    first_seen_at: timestamp(lease.firstSeenAt),
    done_at: ended === null ? null : timestamp(ended),
    result_hash: lease.finish?.resultHash ?? null,
    error_code: phase === 'expired' ? 'expired' : (lease.finish?.errorCode ?? null),
    retry_after_sec:
      phase === 'held' ? Math.max(1, Math.min(POLL_INTERVAL, Math.ceil(left / 1000))) : null,
  };
}

function resultOf(lease: Lease, now: Instant) {
  const { status, key, result_hash, error_code, done_at } = stateOf(lease, now);
  const result = lease.finish?.result ?? null;
  return { ok: true, status, key, result, result_hash, error_code, done_at };
}

/** A lease that ran out reads as failed. */
function statusOf(lease: Lease, now: Instant): 'in_progress' | 'completed' | 'failed' {
  const phase = phaseOf(lease, now);
  if (phase === 'held') return 'in_progress';
  return phase === 'expired' ? 'failed' : phase;
}

function finished(key: string, { outcome, now }: Decision): HttpAnswer {
  if (outcome.type !== 'finished') return rejected(outcome);
  const { version } = outcome.lease;
  return json(200, { ok: true, status: statusOf(outcome.lease, now), key, version });
}

function rejected(outcome: Decision['outcome']): HttpAnswer {
  const reason = outcome.type === 'rejected' ? outcome.reason : outcome.type;
  const name = outcome.type === 'rejected' ? REASON_OF_REJECTION[outcome.reason] : undefined;
  if (name) return refuse(name);
  throw new Error(`no answer is made for the outcome ${reason}`);
}

function posted<T>(
  schema: z.ZodMiniType<T>,
  handle: (body: T, request: RouteRequest) => Promise<HttpAnswer>,
): Route['handle'] {
  return async (request) => {
    const body = parseBody(request);
    return fits(schema, body) ? handle(body, request) : invalid('body', schema, body);
  };
}

function queried(handle: (key: string) => Promise<HttpAnswer>): Route['handle'] {
  return async ({ query }) => {
    const parameters: unknown = Object.fromEntries(query);
    return fits(KeyQuery, parameters)
      ? handle(parameters.key)
      : invalid('query', KeyQuery, parameters);
  };
}
