import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { EventType } from '../engine/history.ts';
import { answeredAt } from '../http/exchange.ts';
import type { EventInfo } from '../services/admin/wire.ts';
import type { RetaiaClient } from '../services/retaia/client.ts';
import type { JobList } from '../services/retaia/wire.ts';
import type { Dialect, Look } from './place.ts';
import { sightingOfJob, sightingOfKey } from './sightings.ts';

/** How the leases of a place can be seen. */
export interface Sight {
  look(id: string): Promise<Look>;
  history?(
    id: string,
    types: readonly EventType[] | undefined,
    limit: number,
  ): Promise<readonly EventInfo[] | undefined>;
  /** Ids of that kind that begin alike. */
  similar?(id: string): Promise<readonly string[]>;
}

type OpenSight = (context: Context, options: ConnectOptions) => Promise<Sight>;

/** What each service's own endpoints tell of a lease that is somebody else's. */
export const SIGHTS: Readonly<Record<Dialect, OpenSight>> = {
  onceonly: async (context, options) => {
    const { client } = await context.onceOnly(options);
    return {
      look: async (id) => {
        const status = await unlessUnknown(client.status(id));
        const now = context.now();
        if (!status) return { sighting: { kind: 'key', id, state: 'never_seen', at: now } };
        const { lease_id } = status;
        const handle = lease_id ? context.redactor.add(lease_id) : undefined;
        return { sighting: sightingOfKey(status, answeredAt(status, now)), handle };
      },
    };
  },
  retaia: async (context, options) => {
    const { client } = await context.retaia(options);
    const list = keeping(async () => {
      const answer = await listAll(client);
      return { answer, at: answeredAt(answer, context.now()) };
    });
    return {
      look: async (id) => {
        const { answer, at } = await list();
        const { jobsOf } = await import('../services/retaia/client.ts');
        const job = jobsOf(answer).find(({ job_id }) => job_id === id);
        // Whoever holds it, or held it: that proves who one is.
        if (job?.lock_token) context.redactor.add(job.lock_token);
        return { sighting: sightingOfJob(id, job, at) };
      },
    };
  },
  // No endpoint of AskUI's tells of a job without changing it.
  askui: async (context) => ({
    look: async (id) => ({
      sighting: { kind: 'runner_job', id, state: 'untold', at: context.now() },
    }),
  }),
};

/** Jobs that are asked for at once, first and last. */
const DEPTHS = [1_000, 10_000] as const;

/** As many as a list has. */
async function listAll(client: Pick<RetaiaClient, 'list'>): Promise<JobList> {
  const { jobsOf } = await import('../services/retaia/client.ts');
  const [depth, deepest] = DEPTHS;
  const answer = await client.list(depth);
  return jobsOf(answer).length < depth ? answer : client.list(deepest);
}

/** How long a list stands for what it would be if it were asked for anew, in milliseconds. */
const KEPT = 5_000;

/** All who ask within that time get the same: it tells of all jobs, whoever asks for one. */
function keeping<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  let askedAt = 0;
  return () => {
    if (asked === undefined || performance.now() - askedAt > KEPT) {
      askedAt = performance.now();
      const answer = ask();
      asked = answer;
      // What failed may succeed the next time.
      answer.catch(() => {
        if (asked === answer) asked = undefined;
      });
    }
    return asked;
  };
}

/** @returns undefined where the service knows nothing of it */
export async function unlessUnknown<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Failure && error.code === 'not_found') return undefined;
    throw error;
  }
}
