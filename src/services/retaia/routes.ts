import type * as z from 'zod/mini';
import { digestOf } from '../../domain/digest.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import type { Requester } from '../../domain/requester.ts';
import type { FinishCommand, Release } from '../../engine/command.ts';
import type { Decision, Engine } from '../../engine/engine.ts';
import { type Candidate, type Lease, phaseOf, type Work } from '../../engine/lease.ts';
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
import { parseBody } from '../../http/validation.ts';
import { refuse, refuseProblem } from './errors.ts';
import { foreignPatch, patchOf } from './patches.ts';
import {
  FailRequest,
  JobDescription,
  ListQuery,
  LockHandle,
  type SubmitRequest as Submit,
  SubmitRequest,
} from './wire.ts';

/** Where the contract's paths begin. */
export const BASE_PATH = '/api/v1';

/** Jobs that one answer lists, unless it is asked for otherwise; and at most. */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;

/** All jobs wait in one pool, open to every agent. */
export const POOL = 'jobs';
/** Any agent. */
export const ANYBODY: Candidate = { pool: POOL, workspace: null, tags: [], runner: '' };

/** Retaia's endpoints over the lease engine. */
export function retaiaRoutes(engine: Engine): Route[] {
  return endpointsOf(engine).map((endpoint) => ({ ...endpoint, refuse: refuseProblem }));
}

function endpointsOf(engine: Engine): Omit<Route, 'refuse'>[] {
  return [
    {
      method: 'GET',
      path: `${BASE_PATH}/jobs`,
      scope: 'jobs:claim',
      handle: async ({ query }) => {
        const parameters = Object.fromEntries(query);
        if (!fits(ListQuery, parameters)) return invalid(ListQuery, parameters);
        const limit = Math.min(Number(parameters.limit ?? DEFAULT_LIMIT), MAX_LIMIT);
        const jobs = await engine.list('job', ANYBODY, limit);
        return json(200, jobs.map(waitingJob));
      },
    },
    {
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/claim`,
      scope: 'jobs:claim',
      handle: (request) => claim(engine, request),
    },
    {
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/heartbeat`,
      scope: 'jobs:heartbeat',
      handle: locked(LockHandle, async ({ lock_token, fencing_token }, { id, by }) => {
        const proof = { handle: lock_token, fencingToken: fencing_token };
        const decision = await engine.change(
          'job',
          id,
          { type: 'extend', ...proof, ttl: null },
          by,
        );
        if (decision.outcome.type !== 'extended') return rejected(decision);
        const { expiresAt, fencingToken } = decision.outcome.lease;
        const answer = { locked_until: timestamp(expiresAt), fencing_token: fencingToken };
        return { ...json(200, answer), at: decision.now };
      }),
    },
    {
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/submit`,
      scope: 'jobs:submit',
      handle: ending(engine, 'submit', SubmitRequest, (body) => ({
        ...finishing(body, 'complete'),
        result: body.result,
      })),
    },
    {
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/fail`,
      scope: 'jobs:submit',
      handle: ending(engine, 'fail', FailRequest, (body) =>
        body.retryable
          ? {
              type: 'release',
              handle: body.lock_token,
              fencingToken: body.fencing_token,
              detail: { error_code: body.error_code, message: body.message ?? null },
            }
          : {
              ...finishing(body, 'fail'),
              errorCode: body.error_code,
              result: body.message === undefined ? null : { message: body.message },
            },
      ),
    },
  ];
}

function finishing(body: LockHandle, way: FinishCommand['way']): FinishCommand {
  const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
  const { lock_token: handle, fencing_token: fencingToken } = body;
  return { type: 'finish', way, handle, fencingToken, ...nothing };
}

async function claim(engine: Engine, request: RouteRequest): Promise<RouteAnswer> {
  const { params, header, by } = request;
  const id = idOf(params);
  const idempotencyKey = header('idempotency-key') || null;
  const acquisition = {
    kind: 'job',
    id,
    ttl: null,
    metadata: { claimed_by: by.caller, ...originMetadata(request) },
    idempotencyKey,
    requestHash: idempotencyKey === null ? null : id,
  } as const;
  const { outcome, lease, now } = await engine.acquire(acquisition, by);
  if (outcome.type === 'acquired') {
    const { fencingToken, handle, metadata, acquisition } = outcome.lease;
    const answer = json(200, {
      ...jobOf(outcome.lease, 'claimed', fencingToken),
      claimed_by: metadata?.['claimed_by'] ?? null,
      lock_token: handle,
      // A repeated claim is answered as the first one, whatever heartbeats came in between.
      locked_until: timestamp(acquisition.at + acquisition.ttl),
    });
    return { ...answer, at: now };
  }
  if (outcome.type === 'rejected' && outcome.reason === 'idempotency_conflict') {
    return refuse('IDEMPOTENCY_CONFLICT');
  }
  if (!lease || outcome.type === 'rejected') {
    return refuse('STATE_CONFLICT', 'No such job is known.', { state: 'unknown' });
  }
  return phaseOf(lease, now) === 'held'
    ? refuse('STATE_CONFLICT', 'Somebody else holds the job.', {
        state: 'claimed',
        locked_until: timestamp(lease.expiresAt),
      })
    : refuse('STATE_CONFLICT', 'The job is finished.', { state: 'finished' });
}

/** A job that can be claimed, in the contract's words. */
export function waitingJob(job: Lease) {
  return jobOf(job, 'pending', job.fencingToken);
}

/** What an agent needs for a job. */
export function needsOf({ data }: Pick<Work, 'data'>) {
  const { job_type: type, required_capabilities: capabilities } = JobDescription.parse(data);
  return { type, capabilities };
}

/** A job that nobody holds, in the contract's words. */
function jobOf({ id, work }: Lease, status: string, fencingToken: number) {
  const { job_type, asset_uuid, source, required_capabilities } = JobDescription.parse(work?.data);
  return {
    job_id: id,
    job_type,
    status,
    asset_uuid,
    ...(source ? { source } : {}),
    required_capabilities,
    claimed_by: null,
    lock_token: null,
    fencing_token: fencingToken === 0 ? null : fencingToken,
    locked_until: null,
  };
}

/** What the job is after a command that ended its lease. */
function statusAfter(command: FinishCommand | Release): string {
  if (command.type === 'release') return 'pending';
  return command.way === 'complete' ? 'completed' : 'failed';
}

/** A handler of a call that ends a lease. Its idempotency key is looked at before its lock. */
function ending<T extends LockHandle>(
  engine: Engine,
  name: string,
  schema: z.ZodMiniType<T>,
  commandOf: (body: T) => FinishCommand | Release,
): Route['handle'] {
  return async (request) => {
    const id = idOf(request.params);
    const content = parseBody(request);
    if (!isJsonObject(content)) return notAnObject();
    const key = request.header('idempotency-key');
    if (!key) return refuse('MISSING_IDEMPOTENCY_KEY');
    const idempotency = { key, requestHash: `${name} ${await digestOf(content)}` };
    const repeated = await engine.recall('job', id, idempotency);
    // What could be a change is refused by the engine, which notes that.
    const isChange = fits(schema, content);
    if (repeated?.outcome.type === 'rejected' && !isChange) return rejected(repeated);
    return locked(schema, async (body, { by }) => {
      const command = commandOf(body);
      const { lease } = await engine.look('job', id);
      const isNew = !repeated && fits(SubmitRequest, body);
      const problem = isNew && lease && problemOf(body, lease);
      if (problem) return refuse('VALIDATION_FAILED', problem);
      return ended(await engine.change('job', id, { ...command, idempotency }, by), command);
    })(request);
  };
}

function ended(decision: Decision, command: FinishCommand | Release): HttpAnswer {
  const { outcome } = decision;
  switch (outcome.type) {
    case 'repeated':
      return json(200, jobOf(outcome.lease, statusAfter(command), outcome.fencingToken));
    case 'finished':
    case 'released':
      return json(200, jobOf(outcome.lease, statusAfter(command), outcome.lease.fencingToken));
    default:
      return rejected(decision);
  }
}

/** What is wrong with a submission that fits the schema. */
function problemOf({ job_type, result }: Submit, { work }: Lease): string | undefined {
  const type = JobDescription.parse(work?.data).job_type;
  if (job_type !== type) return `The job is of type ${type}, not ${job_type}.`;
  const foreign = foreignPatch(type, result);
  if (foreign) return `A job of type ${type} takes no ${foreign}.`;
  const own = patchOf(type);
  return own && result[own] === undefined ? `A job of type ${type} needs a ${own}.` : undefined;
}

function rejected({ outcome, lease, now }: Decision): HttpAnswer {
  if (outcome.type !== 'rejected') {
    throw new Error(`no answer is made for the outcome ${outcome.type}`);
  }
  if (outcome.reason === 'idempotency_conflict') return refuse('IDEMPOTENCY_CONFLICT');
  const isHeld = lease !== undefined && phaseOf(lease, now) === 'held';
  return refuse(isHeld ? 'STALE_LOCK_TOKEN' : 'LOCK_INVALID');
}

function locked<T extends LockHandle>(
  schema: z.ZodMiniType<T>,
  handle: (body: T, asked: { id: string; by: Requester }) => Promise<RouteAnswer>,
): Route['handle'] {
  return async (request) => {
    const body = parseBody(request);
    if (!isJsonObject(body)) return notAnObject();
    if (!body['lock_token']) return refuse('LOCK_REQUIRED');
    const asked = { id: idOf(request.params), by: request.by };
    return fits(schema, body) ? handle(body, asked) : invalid(schema, body);
  };
}

async function invalid(schema: z.ZodMiniType, value: JsonObject): Promise<HttpAnswer> {
  const { explainIssues } = await import('../../http/issues.ts');
  const issues = explainIssues(schema, value).map(({ path, message }) => ({
    field: path.join('.'),
    message,
  }));
  const message = issues.map((issue) => `${issue.field}: ${issue.message}`).join('; ');
  return refuse('VALIDATION_FAILED', message, { issues });
}

function notAnObject(): HttpAnswer {
  return refuse('VALIDATION_FAILED', 'The body is no JSON object.');
}

function idOf({ job_id = '' }: RouteRequest['params']): string {
  return job_id;
}
