import type { FinishCommand } from '../../engine/command.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Lease } from '../../engine/lease.ts';
import { originMetadata } from '../../http/origin-header.ts';
import {
  json,
  type Route,
  type RouteAnswer,
  type RouteRequest,
  timestamp,
} from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { invalid, parseBody } from '../../http/validation.ts';
import { refuseProblem } from './errors.ts';
import { AckQuery, CompleteRequest, type Ending, LeaseQuery } from './wire.ts';

const PATH = '/api/v1/runner-jobs';

const WAYS: Readonly<Record<Ending, FinishCommand['way']>> = {
  PASSED: 'complete',
  FAILED: 'fail',
  CANCELED: 'cancel',
};

/** AskUI's endpoints over the lease engine. */
export function askUiRoutes(engine: Engine): Route[] {
  return endpointsOf(engine).map((endpoint) => ({
    ...endpoint,
    scope: 'runner-jobs',
    refuse: refuseProblem,
  }));
}

function endpointsOf(engine: Engine): Omit<Route, 'scope' | 'refuse'>[] {
  return [
    { method: 'POST', path: `${PATH}/lease`, handle: (request) => lease(engine, request) },
    {
      method: 'POST',
      path: `${PATH}/ping`,
      handle: holding(async (ack, { by }) => {
        const command = { type: 'extend', handle: ack, ttl: null } as const;
        const { outcome, now } = await engine.changeHeld('runner_job', command, by);
        if (outcome.type !== 'extended') return outdated();
        const { expiresAt, isCancelRequested } = outcome.lease;
        const answer = { visible: timestamp(expiresAt), cancel_job: isCancelRequested };
        return { ...json(200, answer), at: now };
      }),
    },
    {
      method: 'POST',
      path: `${PATH}/complete`,
      handle: holding(async (ack, request) => {
        const body = parseBody(request);
        if (!fits(CompleteRequest, body)) return invalid('body', CompleteRequest, body);
        const command: FinishCommand = {
          type: 'finish',
          way: WAYS[body.status],
          handle: ack,
          result: null,
          resultHash: null,
          errorCode: body.status === 'PASSED' ? null : body.status.toLowerCase(),
          errorHash: null,
        };
        const { outcome } = await engine.changeHeld('runner_job', command, request.by);
        return outcome.type === 'finished' ? { status: 204, headers: {}, body: '' } : outdated();
      }),
    },
  ];
}

async function lease(engine: Engine, request: RouteRequest): Promise<RouteAnswer> {
  const { query, header, by } = request;
  const parameters: unknown = { ...Object.fromEntries(query), tags: query.getAll('tags') };
  if (!fits(LeaseQuery, parameters)) return invalid('query', LeaseQuery, parameters);
  const { runner_host, runner_id, workspace_id, tags } = parameters;
  const workspace = workspace_id?.toLowerCase() ?? null;
  const idempotencyKey = header('idempotency-key') || null;
  const acquisition = {
    kind: 'runner_job',
    candidate: { pool: runner_host, workspace, tags, runner: runner_id },
    metadata: { runner_id, ...originMetadata(request) },
    idempotencyKey,
    requestHash:
      idempotencyKey === null
        ? null
        : JSON.stringify([runner_host, runner_id, workspace, tags.toSorted()]),
  } as const;
  const decision = await engine.acquireNext(acquisition, by);
  if (!decision) return json(200, null);
  const { outcome, now } = decision;
  if (outcome.type === 'acquired') return { ...json(200, leasedJob(outcome.lease)), at: now };
  if (outcome.type === 'rejected' && outcome.reason === 'idempotency_conflict') {
    return refuse(409, 'header', 'idempotency-key', 'idempotency_conflict', USED);
  }
  throw new Error(`no answer is made for the outcome ${outcome.type}`);
}

const USED = 'This Idempotency-Key leased a job with another request';

function leasedJob({ id, handle, acquisition, metadata, fencingToken, work }: Lease) {
  return {
    id,
    ack: handle,
    status: 'RUNNING',
    // A repeated lease is answered as the first one, whatever pings came in between.
    visible: timestamp(acquisition.at + acquisition.ttl),
    runner_id: metadata?.['runner_id'],
    tries: fencingToken,
    data: work?.data,
  };
}

/** One answer for all that is wrong with an ack: it names no live lease. */
function outdated(): HttpAnswer {
  return refuse(422, 'query', 'ack', 'ack_outdated', 'The ack is not, or no longer, in force');
}

function refuse(
  status: number,
  where: string,
  name: string,
  type: string,
  msg: string,
): HttpAnswer {
  return json(status, { detail: [{ loc: [where, name], msg, type }] });
}

function holding(
  handle: (ack: string, request: RouteRequest) => Promise<RouteAnswer>,
): Route['handle'] {
  return async (request) => {
    const parameters: unknown = Object.fromEntries(request.query);
    return fits(AckQuery, parameters)
      ? handle(parameters.ack, request)
      : invalid('query', AckQuery, parameters);
  };
}
