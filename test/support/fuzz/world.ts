import { randomUUID } from 'node:crypto';
import { NOBODY } from '../../../src/domain/requester.ts';
import type { Access } from '../../../src/engine/access.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Kind, Lease } from '../../../src/engine/lease.ts';
import { workOf as runnerWorkOf } from '../../../src/services/askui/new-job.ts';
import { workOf } from '../../../src/services/retaia/new-job.ts';
import { adminTemplates } from './admin-templates.ts';
import { field, optional, type Template, template } from './request.ts';

/** What is there to be harmed: some is held, some is finished, and some is to be had. */
export interface Victims {
  readonly templates: Readonly<Record<Kind | 'admin', readonly Template[]>>;
  /** Names of what nobody without a secret can change: it is held, or finished. No secrets. */
  readonly kept: readonly string[];
  /** Name of what waits for whoever comes. */
  readonly waiting: string;
  /** A key that is nobody's yet. */
  readonly free: string;
}

/** Milliseconds: longer than any test. */
const TTL = 3_600_000;

/** @param access gets a token and a client as well: then callers are told apart */
export async function createVictims(engine: Engine, access?: Access): Promise<Victims> {
  const id: string = randomUUID();
  const handleOf = async (kind: Kind, name = id) => {
    const nothing = { metadata: null, idempotencyKey: null, requestHash: null };
    const { outcome } = await engine.acquire({ kind, id: name, ttl: TTL, ...nothing }, NOBODY);
    if (outcome.type !== 'acquired') throw new Error(outcome.type);
    return outcome.lease.handle;
  };
  const [waiting, free] = [`${id}-waiting`, `${id}-free`];
  // Nobody who does not know its name gets it.
  const runner = randomUUID();
  await access?.addToken({ name: id, scopes: ['keys:read'], lifetime: undefined });
  await access?.addClient(id, ['keys:read']);
  const finished = `${id}-finished`;
  for (const name of [id, waiting, finished]) {
    const work = workOf({ job_type: 'extract_facts' }, randomUUID);
    const runnerWork = runnerWorkOf({ runners: [runner] }, randomUUID);
    await engine.add([{ kind: 'job', id: name, ttl: TTL, work }], NOBODY);
    await engine.add([{ kind: 'runner_job', id: name, ttl: TTL, work: runnerWork }], NOBODY);
  }
  const [leaseId, lock, ack] = [
    await handleOf('key'),
    await handleOf('job'),
    await handleOf('runner_job'),
  ];
  for (const kind of ['key', 'job', 'runner_job'] as const) {
    const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
    const handle = await handleOf(kind, finished);
    await engine.change(
      kind,
      finished,
      { type: 'finish', way: 'complete', handle, ...nothing },
      NOBODY,
    );
  }
  return {
    kept: [id, finished],
    waiting,
    free,
    templates: {
      key: keyTemplates(id, leaseId),
      job: jobTemplates(id, waiting, lock),
      runner_job: runnerJobTemplates(runner, ack),
      admin: adminTemplates(id, free),
    },
  };
}

function keyTemplates(id: string, leaseId: string): Template[] {
  const key = field('key', 'key', id);
  // Nobody has it yet: it is to stay so.
  const free = field('key', 'key', `${id}-free`);
  const held = [key, field('exact', 'lease_id', leaseId)];
  const acquiring = [
    free,
    optional('seconds', 'ttl', 60),
    optional('object', 'metadata', { a: 1 }),
  ];
  return [
    template('POST /v1/ai/lease', { body: acquiring }),
    template('POST /v1/ai/run', { body: acquiring }),
    template('GET /v1/ai/status', { query: [key] }),
    template('GET /v1/ai/result', { query: [key] }),
    template('POST /v1/ai/extend', { body: [...held, optional('seconds', 'ttl', 60)] }),
    template('POST /v1/ai/complete', {
      body: [...held, optional('object', 'result', {}), optional('text', 'result_hash', 'h')],
    }),
    template('POST /v1/ai/cancel', { body: [...held, optional('text', 'reason', 'r')] }),
    template('POST /v1/ai/fail', {
      body: [...held, field('text', 'error_code', 'E'), optional('text', 'error_hash', 'h')],
    }),
  ];
}

function jobTemplates(id: string, waiting: string, lock: string): Template[] {
  const at = (name: string, call: string) => `/api/v1/jobs/${name}/${call}`;
  const shown = [field('exact', 'lock_token', lock), optional('count', 'fencing_token', 1)];
  const ending = { headers: { 'idempotency-key': 'once' }, names: [id] };
  return [
    template('GET /api/v1/jobs', { query: [optional('count', 'limit', 5)] }),
    template('POST claim', { path: at(waiting, 'claim'), names: [waiting] }),
    template('POST heartbeat', { path: at(id, 'heartbeat'), names: [id], body: shown }),
    template('POST submit', {
      ...{ ...ending, path: at(id, 'submit') },
      body: [
        ...shown,
        field('exact', 'job_type', 'extract_facts'),
        field('result', 'result', { facts_patch: {} }),
      ],
    }),
    template('POST fail', {
      ...{ ...ending, path: at(id, 'fail') },
      body: [
        ...shown,
        field('name', 'error_code', 'E'),
        optional('text', 'message', 'm'),
        field('flag', 'retryable', true),
      ],
    }),
  ];
}

function runnerJobTemplates(runner: string, ack: string): Template[] {
  const shown = [field('exact', 'ack', ack)];
  return [
    template('POST /api/v1/runner-jobs/lease', {
      query: [
        field('host', 'runner_host', 'SELF'),
        field('name', 'runner_id', runner),
        optional('workspace', 'workspace_id', '00000000-0000-0000-0000-000000000000'),
      ],
    }),
    template('POST /api/v1/runner-jobs/ping', { query: shown }),
    template('POST /api/v1/runner-jobs/complete', {
      query: shown,
      body: [field('status', 'status', 'PASSED')],
    }),
  ];
}

/** All that is stored by these names. */
export async function stateOf(
  engine: Engine,
  names: readonly string[],
): Promise<readonly (Lease | undefined)[]> {
  const kinds: readonly Kind[] = ['key', 'job', 'runner_job'];
  const looks = kinds.flatMap((kind) => names.map((name) => engine.look(kind, name)));
  return (await Promise.all(looks)).map(({ lease }) => lease);
}
