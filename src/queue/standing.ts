import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import { answeredAt } from '../http/exchange.ts';
import { openPlace } from '../look/place.ts';
import { LOCAL } from '../profiles/profile.ts';
import type { QueueInfo } from '../services/admin/queue-wire.ts';
import { jobsOf } from '../services/retaia/client.ts';
import type { Job, JobList } from '../services/retaia/wire.ts';

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

/** What is counted of jobs; null is what the service does not tell. */
export interface QueueTold
  extends Nullable<Pick<QueueInfo, 'ran_out' | 'claimed' | 'completed' | 'failed' | 'retried'>> {
  readonly pending: number;
  readonly oldest_pending_at: string | null;
  readonly last_claimed_at: string | null;
  readonly last_claimed_by: string | null;
}

export interface TypeTold extends QueueTold {
  readonly job_type: string | null;
  readonly required_capabilities: readonly string[];
  readonly unclaimed_capabilities: readonly string[] | null;
}

/** How a queue stands, as far as its service tells. */
export interface Standing extends QueueTold {
  /** Whether all jobs were counted, or those in the list of what can be claimed. */
  readonly source: 'jobs' | 'claimable';
  readonly now: string;
  readonly counted: number;
  readonly is_whole: boolean;
  readonly oldest_pending_id: string | null;
  readonly most_retried_id: string | null;
  readonly types: readonly TypeTold[];
  readonly types_left_off: number;
}

/**
 * Asks the administration where the service is leasectl's, and else for the list of jobs.
 *
 * @returns with the profile that commands on it are to name, if they are to name one
 * @throws Failure as `openPlace`, and when the service refuses to tell either
 */
export async function standingOf(
  context: Context,
  options: ConnectOptions,
): Promise<{ standing: Standing; profile: string | undefined }> {
  const { isOurs, reach } = await openPlace(context, 'job', options);
  const named = reach.profile === LOCAL ? undefined : reach.profile;
  const profile = options.profile ?? named;
  const counted = isOurs ? await countedBy(context, reach, options) : undefined;
  if (counted) return { standing: counted, profile };
  const { client } = await context.retaia({ ...options, notice: () => undefined });
  return { standing: listed(await client.list(MOST), context.now()), profile };
}

/** @returns undefined where the token may not ask, or the service is of an earlier version */
async function countedBy(
  context: Context,
  reach: ConnectOptions,
  { notice }: ConnectOptions,
): Promise<Standing | undefined> {
  const { client } = await context.admin(reach);
  try {
    return { source: 'jobs', ...(await client.queue({ kind: 'job' })) };
  } catch (error) {
    const isUntold =
      error instanceof Failure && (error.code === 'unauthorized' || error.code === 'not_found');
    if (!isUntold) throw error;
    const why =
      error.code === 'not_found' ? 'This service counts none.' : 'Scope admin is missing.';
    notice?.(`${why} Only the list of jobs that can be claimed is told.`);
    return undefined;
  }
}

/** Jobs that are asked for: whoever has more waiting has waited long enough to know. */
const MOST = 10_000;

const UNTOLD = {
  ...{ ran_out: null, claimed: null, completed: null, failed: null, retried: null },
  ...{ oldest_pending_at: null, last_claimed_at: null, last_claimed_by: null },
};

function listed(answer: JobList, now: number): Standing {
  const jobs = jobsOf(answer);
  return {
    source: 'claimable',
    now: new Date(answeredAt(answer, now)).toISOString(),
    counted: jobs.length,
    is_whole: jobs.length < MOST,
    ...UNTOLD,
    pending: jobs.length,
    oldest_pending_id: jobs[0]?.job_id ?? null,
    most_retried_id: null,
    types: typesOf(jobs),
    types_left_off: 0,
  };
}

/** In the order of the list, which has the oldest first. */
function typesOf(jobs: readonly Job[]): TypeTold[] {
  const groups = new Map<string, TypeTold>();
  for (const { job_type = null, required_capabilities } of jobs) {
    const capabilities = [...new Set(required_capabilities ?? [])].sort();
    const name = JSON.stringify([job_type, capabilities]);
    const pending = (groups.get(name)?.pending ?? 0) + 1;
    const needs = { job_type, required_capabilities: capabilities };
    groups.set(name, { ...UNTOLD, ...needs, pending, unclaimed_capabilities: null });
  }
  return [...groups.values()];
}
