import { isJsonObject, type JsonObject } from '../../../src/domain/json.ts';
import type { FinishWay, Kind } from '../../../src/engine/lease.ts';
import type { Random } from '../random.ts';
import type { Answer, Question } from './asking.ts';
import type { Change, Grant, Look, Miss } from './journal.ts';

/** What a holder knows of its lease. */
export interface Held {
  readonly id: string;
  readonly token: number;
  /** What it shows. */
  readonly secret: string;
}

/** Whatever is undefined is an answer that no contract has. */
type Read<T> = (answer: Answer) => T | undefined;

export interface Wish<T> {
  readonly question: Question;
  readonly read: Read<T>;
}

export type Acquired =
  | ({ outcome: Grant['outcome'] } & Held)
  | { outcome: 'held' | 'finished' | 'none' };
export type Changed = Pick<Change, 'outcome' | 'version'>;
export type Looked = Pick<Look, 'version' | 'isFinished'> | 'none';

/** How a service is asked, and what its answers mean. */
export interface Dialect {
  readonly kind: Kind;
  /** Milliseconds that a lease lasts. */
  readonly ttl: number;
  /** Whether the service chooses what is acquired. */
  readonly isChosen: boolean;
  readonly ways: readonly FinishWay[];
  acquire(id: string, by: string, key: string | undefined, random: Random): Wish<Acquired>;
  extend(held: Held): Wish<Changed>;
  /** @param key the same whenever it is repeated */
  finish(held: Held, way: FinishWay, key: string): Wish<Changed>;
  release?(held: Held, key: string): Wish<Changed>;
  look?(id: string): Wish<Looked>;
}

export type Dialects = readonly Dialect[];
export type { Miss };

const post = (path: string, body?: object, headers: Question['headers'] = {}): Question => ({
  ...{ method: 'POST', path, body, headers },
});

const keyed = (key: string | undefined) => (key === undefined ? {} : { 'idempotency-key': key });

/** What a refusal calls itself. */
function reasonOf(body: JsonObject): unknown {
  const { detail, code } = body;
  if (Array.isArray(detail)) return isJsonObject(detail[0]) ? detail[0]['type'] : undefined;
  return isJsonObject(detail) ? detail['error'] : code;
}

/** Reads what comes with a status of success, and refusals by their names. */
function reading<T>(
  read: (body: JsonObject) => T | undefined,
  refusals: ReadonlyMap<unknown, T>,
): Read<T> {
  return ({ status, body }) => {
    const content = isJsonObject(body) ? body : {};
    return status < 300 ? read(content) : refusals.get(`${status} ${reasonOf(content)}`);
  };
}

const refused = (...names: string[]) =>
  new Map(names.map((name) => [name, { outcome: 'refused' } as const]));

const KEY_REFUSALS = refused('409 lease_mismatch', '409 lease_expired', '409 already_finished');

const KEY_STATES = new Map<unknown, Acquired>([
  ['polling', { outcome: 'held' }],
  ['completed', { outcome: 'finished' }],
  ['failed', { outcome: 'finished' }],
]);

const changedKey: Read<Changed> = reading<Changed>(
  ({ version }) => (typeof version === 'number' ? { outcome: 'done', version } : undefined),
  KEY_REFUSALS,
);

const onceOnly: Dialect = {
  kind: 'key',
  ttl: 1_000,
  isChosen: false,
  ways: ['complete', 'complete', 'fail', 'cancel'],
  acquire: (id, by, key, random) => ({
    question: post(
      random.pick(['/v1/ai/lease', '/v1/ai/run']),
      { key: id, ttl: 1, metadata: { by } },
      keyed(key),
    ),
    read: reading<Acquired>(({ status, version, lease_id }) => {
      if (status !== 'acquired') return KEY_STATES.get(status);
      return grantOf(id, version, lease_id);
    }, new Map()),
  }),
  extend: ({ id, secret }) => ({
    question: post('/v1/ai/extend', { key: id, lease_id: secret }),
    read: changedKey,
  }),
  finish: ({ id, secret }, way) => ({
    question: post(`/v1/ai/${way}`, {
      ...{ key: id, lease_id: secret },
      ...(way === 'fail' ? { error_code: 'E_SOAK' } : {}),
      ...(way === 'complete' ? { result: { id } } : {}),
    }),
    read: changedKey,
  }),
  look: (id) => ({
    question: { method: 'GET', path: `/v1/ai/status?key=${encodeURIComponent(id)}` },
    read: reading<Looked>(
      ({ status, version, error_code }) => {
        if (typeof version !== 'number') return undefined;
        // A lease that ran out reads as failed.
        return { version, isFinished: status !== 'in_progress' && error_code !== 'expired' };
      },
      new Map([['404 not_found', 'none']]),
    ),
  }),
};

function grantOf(id: unknown, token: unknown, secret: unknown): Acquired | undefined {
  const isWhole = typeof id === 'string' && typeof token === 'number' && typeof secret === 'string';
  return isWhole ? { outcome: 'granted', id, token, secret } : undefined;
}

const JOB_REFUSALS = refused('423 LOCK_INVALID', '409 STALE_LOCK_TOKEN');
const changedJob = reading<Changed>(() => ({ outcome: 'done' }), JOB_REFUSALS);

const jobPath = (id: string, call: string) => `/api/v1/jobs/${encodeURIComponent(id)}/${call}`;
const lockOf = ({ secret, token }: Held) => ({ lock_token: secret, fencing_token: token });

const retaia: Dialect = {
  kind: 'job',
  ttl: 800,
  isChosen: false,
  ways: ['complete', 'fail'],
  acquire: (id, _, key) => ({
    question: post(jobPath(id, 'claim'), undefined, keyed(key)),
    read: ({ status, body }) => {
      const content = isJsonObject(body) ? body : {};
      if (status === 200) return grantOf(id, content['fencing_token'], content['lock_token']);
      const details = isJsonObject(content['details']) ? content['details'] : {};
      return status === 409 ? JOB_STATES.get(details['state']) : undefined;
    },
  }),
  extend: (held) => ({
    question: post(jobPath(held.id, 'heartbeat'), lockOf(held)),
    read: reading<Changed>(
      ({ fencing_token }) => (fencing_token === held.token ? { outcome: 'done' } : undefined),
      JOB_REFUSALS,
    ),
  }),
  finish: (held, way, key) => ({
    question:
      way === 'complete'
        ? post(
            jobPath(held.id, 'submit'),
            { ...lockOf(held), job_type: 'soak', result: { facts_patch: { by: held.token } } },
            keyed(key),
          )
        : post(
            jobPath(held.id, 'fail'),
            { ...lockOf(held), error_code: 'E_SOAK', message: 'No.', retryable: false },
            keyed(key),
          ),
    read: changedJob,
  }),
  release: (held, key) => ({
    question: post(
      jobPath(held.id, 'fail'),
      { ...lockOf(held), error_code: 'E_AGAIN', message: 'Again.', retryable: true },
      keyed(key),
    ),
    read: changedJob,
  }),
};

const JOB_STATES = new Map<unknown, Acquired>([
  ['claimed', { outcome: 'held' }],
  ['finished', { outcome: 'finished' }],
]);

const ACK_REFUSALS = refused('422 ack_outdated');
const RUNNER_PATH = '/api/v1/runner-jobs';
const STATUS: Readonly<Record<FinishWay, string>> = {
  complete: 'PASSED',
  fail: 'FAILED',
  cancel: 'CANCELED',
};

const askUi: Dialect = {
  kind: 'runner_job',
  ttl: 800,
  isChosen: true,
  ways: ['complete', 'fail', 'cancel'],
  acquire: (_, by, key) => ({
    question: post(`${RUNNER_PATH}/lease?runner_host=SELF&runner_id=${by}`, undefined, keyed(key)),
    read: ({ status, body }) => {
      if (status !== 200) return undefined;
      if (body === null) return { outcome: 'none' };
      return isJsonObject(body) ? grantOf(body['id'], body['tries'], body['ack']) : undefined;
    },
  }),
  extend: ({ secret }) => ({
    question: post(`${RUNNER_PATH}/ping?ack=${secret}`),
    read: reading<Changed>(
      ({ visible }) => (visible ? { outcome: 'done' } : undefined),
      ACK_REFUSALS,
    ),
  }),
  finish: ({ secret }, way) => ({
    question: post(`${RUNNER_PATH}/complete?ack=${secret}`, { status: STATUS[way] }),
    read: reading<Changed>(() => ({ outcome: 'done' }), ACK_REFUSALS),
  }),
};

export const DIALECTS: Dialects = [onceOnly, retaia, askUi];
