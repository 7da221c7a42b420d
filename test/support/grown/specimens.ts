import { parseJson } from '../../../src/domain/json.ts';
import { ORIGIN_FIELD } from '../../../src/domain/origin.ts';
import { createEmbeddedTransport } from '../../../src/embedded.ts';
import { DEFAULT_NAMESPACE, type Store } from '../../../src/engine/store.ts';
import { engineOn } from '../../../src/engines.ts';
import type { Transport } from '../../../src/http/transport.ts';

/** A lease that the service itself has written, by all that led to its state; to be copied. */
export interface Specimen {
  readonly name: string;
  /** How many of 1,000 leases are like it. */
  readonly share: number;
  /** How old the oldest copy is, in milliseconds: copies are spread over that time. */
  readonly spread: number;
  /** Does to one lease what led there. @returns its id */
  make(asking: Asking): Promise<string>;
}

/** Whoever asks the service, and moves the time meanwhile. */
export interface Asking {
  send(
    method: string,
    path: string,
    body?: object,
    query?: Record<string, string | readonly string[]>,
  ): Promise<Record<string, unknown>>;
  /** @param seconds that go by */
  later(seconds: number): void;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Long enough that its copies, however old, are held. */
const LONG = 86_400;
const HELD_SPREAD = 20 * 60 * MINUTE;

const ORIGIN = {
  host: 'build-7.example.com',
  user: 'ci',
  pid: 48_213,
  command: 'leasectl exec',
  repository: 'git@git.example.com:team/app.git',
  commit: '4f0c9d2e8a61b75d3c2f4e6a8b9c0d1e2f3a4b5c',
};

/** What is in the place of the digits by which copies differ. */
export const DIGITS = '00000000';

const keys = (name: string) => `${name}/release-${DIGITS}`;
const KEYS = '/v1/ai';
const LAST_TRY = { max_tries: 1 };
const RUNNERS = '/api/v1/runner-jobs';

async function leased(asking: Asking, name: string, ttl: number, metadata?: object) {
  const key = keys(name);
  const { lease_id } = await asking.send('POST', `${KEYS}/lease`, { key, ttl, metadata });
  asking.later(2);
  return { key, lease_id };
}

async function job(asking: Asking, type: string, ttl = 120): Promise<string> {
  const jobs = [{ job_type: type, asset_uuid: '7b0c1d6e-1f0a-4a55-9c53-6d1f1b0f7a10' }];
  const added = await asking.send('POST', '/admin/v1/jobs', { ttl, jobs });
  asking.later(5);
  return String(Object(Object.values(added)[0])['job_id']);
}

async function claimed(asking: Asking, type: string, ttl?: number) {
  const id = await job(asking, type, ttl);
  const { lock_token, fencing_token } = await asking.send('POST', `/api/v1/jobs/${id}/claim`);
  asking.later(3);
  return { id, lock: { lock_token, fencing_token } };
}

async function runnerJob(asking: Asking, needs: object, ttl = 120): Promise<string> {
  const added = await asking.send('POST', '/admin/v1/runner-jobs', { ttl, jobs: [needs] });
  asking.later(5);
  return String(Object(Object.values(added)[0])['id']);
}

/** To be called while no other one can be leased. */
async function ran(
  asking: Asking,
  ttl?: number,
  needs: { tags?: string[]; max_tries?: number } = {},
) {
  const id = await runnerJob(asking, needs, ttl);
  const query = { runner_host: 'SELF', runner_id: 'lab-7', tags: needs.tags ?? [] };
  const leased = await asking.send('POST', `${RUNNERS}/lease`, undefined, query);
  if (leased['id'] !== id) throw new Error('another job was leased');
  asking.later(3);
  return { id, ack: { ack: String(leased['ack']) } };
}

/** What is held, finished, waiting and run out, of all kinds: 1,000 together. */
export const SPECIMENS: readonly Specimen[] = [
  {
    name: 'a key that is held and renewed, from where leasectl told',
    share: 60,
    spread: HELD_SPREAD,
    async make(asking) {
      const lease = await leased(asking, 'held', LONG, { [ORIGIN_FIELD]: ORIGIN });
      for (const ttl of [LONG, LONG])
        await asking.send('POST', `${KEYS}/extend`, { ...lease, ttl });
      return lease.key;
    },
  },
  {
    name: 'a key that is held, and that somebody else wanted',
    share: 20,
    spread: HELD_SPREAD,
    async make(asking) {
      const { key } = await leased(asking, 'wanted', LONG, { team: 'web' });
      await asking.send('POST', `${KEYS}/lease`, { key, ttl: 60 });
      return key;
    },
  },
  {
    name: 'a key that is completed',
    share: 300,
    spread: 6 * DAY,
    async make(asking) {
      const lease = await leased(asking, 'done', 60);
      const result = { url: 'https://builds.example.com/7431', tests: 812 };
      await asking.send('POST', `${KEYS}/complete`, { ...lease, result });
      return lease.key;
    },
  },
  {
    name: 'a key that failed',
    share: 30,
    spread: 6 * DAY,
    async make(asking) {
      const lease = await leased(asking, 'failed', 60, { [ORIGIN_FIELD]: ORIGIN });
      await asking.send('POST', `${KEYS}/fail`, { ...lease, error_code: 'exit_1' });
      return lease.key;
    },
  },
  {
    name: 'a key that ran out',
    share: 60,
    spread: 20 * DAY,
    async make(asking) {
      const { key } = await leased(asking, 'crashed', 30);
      asking.later(60);
      return key;
    },
  },
  {
    name: 'a job that waits',
    share: 120,
    spread: 2 * DAY,
    make: (asking) => job(asking, 'extract_facts'),
  },
  {
    name: 'a job that is claimed',
    share: 30,
    spread: HELD_SPREAD,
    async make(asking) {
      const { id, lock } = await claimed(asking, 'extract_facts', LONG);
      await asking.send('POST', `/api/v1/jobs/${id}/heartbeat`, lock);
      return id;
    },
  },
  {
    name: 'a job that is done',
    share: 150,
    spread: 6 * DAY,
    async make(asking) {
      const { id, lock } = await claimed(asking, 'generate_proxy');
      const result = { derived_patch: { derived_manifest: [{ kind: 'proxy_video', ref: 'p/1' }] } };
      const body = { ...lock, job_type: 'generate_proxy', result };
      await asking.send('POST', `/api/v1/jobs/${id}/submit`, body);
      return id;
    },
  },
  {
    name: 'a job that failed, and waits again',
    share: 10,
    spread: 2 * DAY,
    async make(asking) {
      const { id, lock } = await claimed(asking, 'extract_facts');
      const body = { ...lock, error_code: 'TIMEOUT', message: 'no answer', retryable: true };
      await asking.send('POST', `/api/v1/jobs/${id}/fail`, body);
      return id;
    },
  },
  {
    name: 'a job whose agent let it run out',
    share: 20,
    spread: 2 * DAY,
    async make(asking) {
      const { id } = await claimed(asking, 'extract_facts', 30);
      asking.later(60);
      return id;
    },
  },
  {
    name: 'a runner job that runs',
    share: 30,
    spread: HELD_SPREAD,
    async make(asking) {
      const { id, ack } = await ran(asking, LONG);
      await asking.send('POST', `${RUNNERS}/ping`, undefined, ack);
      return id;
    },
  },
  {
    name: 'a runner job that passed',
    share: 50,
    spread: 6 * DAY,
    async make(asking) {
      const { id, ack } = await ran(asking);
      await asking.send('POST', `${RUNNERS}/complete`, { status: 'PASSED' }, ack);
      return id;
    },
  },
  {
    name: 'a runner job that ran out on its last try',
    share: 10,
    spread: 6 * DAY,
    async make(asking) {
      const { id } = await ran(asking, 30, LAST_TRY);
      asking.later(60);
      return id;
    },
  },
  {
    name: 'a runner job whose runner let it run out',
    share: 20,
    spread: 2 * DAY,
    async make(asking) {
      const { id } = await ran(asking, 30, { tags: ['linux', 'x64'] });
      asking.later(60);
      return id;
    },
  },
  ...[
    { share: 20, needs: {} },
    { share: 20, needs: { tags: ['linux', 'x64'], max_tries: 5 } },
    { share: 20, needs: { tags: ['gpu'] } },
    { share: 10, needs: { runners: ['lab-1', 'lab-2'] } },
    { share: 10, needs: { host: 'ASKUI', tags: ['android'] } },
    { share: 10, needs: { workspace_id: '9d2fbc9c-4f0b-4a43-9e5c-30a3c0f1a111' } },
  ].map(({ share, needs }) => ({
    name: `a runner job that waits for whoever has ${JSON.stringify(needs)}`,
    share,
    spread: 2 * DAY,
    make: (asking: Asking) => runnerJob(asking, { ...needs, workflows: ['smoke.yml'] }),
  })),
];

/** Housekeeping that does all it finds. */
const ALL = { retention: 7 * DAY, history: 30 * DAY, interval: 1, limit: 100 };

/**
 * Has the service make one lease of each.
 *
 * @param clock is set to this; the store's own
 * @returns their ids, in the order of {@link SPECIMENS}
 */
export async function makeSpecimens(store: Store, clock: { now: number }): Promise<string[]> {
  const embedded = { engine: engineOn(store), store, namespace: DEFAULT_NAMESPACE };
  const transport = await createEmbeddedTransport(
    'leasectl',
    embedded,
    () => 'ci@build-7.example.com',
  );
  const asking: Asking = {
    send: (method, path, body, query = {}) => send(transport, method, path, body, query),
    later: (seconds) => {
      clock.now += seconds * 1000;
    },
  };
  const ids: string[] = [];
  for (const { make } of SPECIMENS) ids.push(await make(asking));
  while (!(await store.sweep(ALL))?.isDone);
  return ids;
}

let requests = 0;

async function send(
  transport: Transport,
  method: string,
  path: string,
  content: object | undefined,
  parameters: Record<string, string | readonly string[]>,
): Promise<Record<string, unknown>> {
  requests += 1;
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(parameters)) {
    for (const value of [values].flat()) query.append(name, value);
  }
  const headers = { 'idempotency-key': `request-${requests}-${DIGITS}` };
  const body = content === undefined ? '' : JSON.stringify(content);
  const answer = await transport({ method, path, query, headers, body }, { repeatable: false });
  if (answer.status >= 400) throw new Error(`${path}: ${answer.status} ${answer.body}`);
  return Object(parseJson(answer.body || '{}'));
}
