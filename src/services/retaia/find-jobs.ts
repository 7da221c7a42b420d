import { Failure } from '../../domain/failure.ts';
import { jobsOf, type RetaiaClient } from './client.ts';
import type { ClaimedJob, Job, JobList } from './wire.ts';

/** Which jobs are wanted. The contract knows no filters: they are applied here. */
export interface JobFilter {
  readonly type: string | undefined;
  /** What an agent can do: jobs that need more are left out. Undefined for all jobs. */
  readonly capabilities: readonly string[] | undefined;
}

/** How many jobs are asked for, one after the other, until enough of them fit a filter. */
const DEPTHS = [100, 1_000, 10_000];
/** Jobs that a filtered list has unless it is asked for more. */
const USUAL_LIMIT = 20;

/**
 * The service's list, with nothing in it but at most `limit` jobs that pass the filter: its very
 * answer where that needs no change.
 */
export async function listJobs(
  client: Pick<RetaiaClient, 'list'>,
  filter: JobFilter,
  limit: number | undefined,
): Promise<JobList> {
  const isFiltered = filter.type !== undefined || filter.capabilities !== undefined;
  if (!isFiltered) return reduced(await client.list(limit), () => true, limit ?? Infinity);
  const wanted = limit ?? USUAL_LIMIT;
  for (const depth of DEPTHS) {
    const answer = await client.list(depth);
    const jobs = jobsOf(answer);
    const isEnough = jobs.filter((job) => fits(job, filter)).length >= wanted;
    const isAll = jobs.length < depth || depth === DEPTHS.at(-1);
    if (isEnough || isAll) return reduced(answer, (job) => fits(job, filter), wanted);
  }
  throw new Error('there is a last depth');
}

function fits(job: Job, { type, capabilities }: JobFilter): boolean {
  if (type !== undefined && job.job_type !== type) return false;
  return (job.required_capabilities ?? []).every((name) => capabilities?.includes(name) ?? true);
}

function reduced(answer: JobList, isWanted: (job: Job) => boolean, limit: number): JobList {
  const jobs = jobsOf(answer);
  const wanted = jobs.filter(isWanted).slice(0, limit);
  if (wanted.length === jobs.length) return answer;
  return 'items' in answer ? { ...answer, items: wanted } : wanted;
}

export interface ClaimNextOptions {
  readonly client: Pick<RetaiaClient, 'list' | 'claim'>;
  readonly filter: JobFilter;
  readonly newIdempotencyKey: () => string;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Whether there is time for another call. */
  readonly isInTime: () => boolean;
}

/** How often the jobs are listed anew when others took all of them. */
const ROUNDS = 10;

/**
 * Claims a job: the oldest, or when another agent was faster, any other of those listed, so that
 * agents that come at the same moment do not fight for one job after the other.
 *
 * @throws Failure `none_available` when there is no job, or others were always faster
 */
export async function claimNext(options: ClaimNextOptions): Promise<ClaimedJob> {
  const { client, filter, newIdempotencyKey, random, isInTime } = options;
  let lost = 0;
  for (let round = 1; round <= ROUNDS && isInTime(); round += 1) {
    const jobs = [...jobsOf(await listJobs(client, filter, undefined))];
    if (jobs.length === 0) break;
    while (jobs.length > 0 && isInTime()) {
      const [job] = jobs.splice(lost === 0 ? 0 : Math.floor(random() * jobs.length), 1);
      try {
        if (job) return await client.claim(job.job_id, newIdempotencyKey());
      } catch (error) {
        if (!isTaken(error)) throw error;
        lost += 1;
      }
    }
  }
  const message =
    lost === 0
      ? `There is no job to claim${filter.type === undefined ? '' : ` of type ${filter.type}`}.`
      : `There is no job left: others were faster at ${lost}.`;
  throw new Failure('none_available', message, {
    hint: 'Try again later: jobs come, and leases run out.',
    service: 'retaia',
  });
}

function isTaken(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'held' || error.reason === 'STATE_CONFLICT');
}
