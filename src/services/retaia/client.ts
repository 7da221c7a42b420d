import { Failure } from '../../domain/failure.ts';
import type { Origin } from '../../domain/origin.ts';
import { acquire, createCall, LOOKING_AFTER, otherSubject } from '../../http/call.ts';
import { originHeader } from '../../http/origin-header.ts';
import type { Transport } from '../../http/transport.ts';
import { retaiaErrors } from './errors.ts';
import {
  ClaimedJob,
  type FailRequest,
  FinishAnswer,
  HeartbeatAnswer,
  type Job,
  JobList,
  type LockHandle,
  type SubmitRequest,
} from './wire.ts';

/**
 * Retaia's endpoints. Every method answers with the service's own object, checked against the
 * contract, and throws a Failure for everything else.
 */
export interface RetaiaClient {
  /** Jobs that can be claimed. @param limit at most so many; undefined for the service's choice */
  list(limit: number | undefined): Promise<JobList>;
  /**
   * @param idempotencyKey one per intent to claim; its repetition never claims twice
   * @param origin where it is claimed; for leasectl's own service only
   * @throws Failure `unavailable` when no answer came, saying whether the job can still be claimed
   */
  claim(id: string, idempotencyKey: string, origin?: Origin): Promise<ClaimedJob>;
  heartbeat(id: string, lock: LockHandle): Promise<HeartbeatAnswer>;
  /** @param idempotencyKey the same for every repetition of the same body */
  submit(id: string, idempotencyKey: string, body: SubmitRequest): Promise<unknown>;
  /** @param idempotencyKey the same for every repetition of the same body */
  fail(id: string, idempotencyKey: string, body: FailRequest): Promise<unknown>;
}

export interface RetaiaClientOptions {
  readonly transport: Transport;
  /**
   * Whether the service is known to answer an acquisition with the same `Idempotency-Key` as the
   * first time, so that it may be sent again.
   */
  readonly knowsAcquisitions: () => boolean;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

export function createRetaiaClient(options: RetaiaClientOptions): RetaiaClient {
  const { transport, knowsAcquisitions, clean } = options;
  const call = createCall(transport, retaiaErrors, clean);
  const list = (limit: number | undefined, patience = { repeatable: true }) => {
    const query = new URLSearchParams(limit === undefined ? {} : { limit: String(limit) });
    return call(JobList, { method: 'GET', path: '/jobs', query }, patience);
  };
  const end = (id: string, way: string, idempotencyKey: string, body: object) => {
    const headers = { 'idempotency-key': idempotencyKey };
    const request = { method: 'POST', path: pathOf(id, way), headers, body } as const;
    return call(FinishAnswer, request, { repeatable: true, subject: id });
  };
  return {
    list: (limit) => list(limit),
    claim: async (id, idempotencyKey, origin) => {
      const headers = { 'idempotency-key': idempotencyKey, ...originHeader(origin) };
      const request = { method: 'POST', path: pathOf(id, 'claim'), headers } as const;
      return acquire(
        async (options) => {
          const job = await call(ClaimedJob, request, { ...options, subject: id });
          if (job.job_id !== id) throw otherSubject(retaiaErrors, id, 'job');
          return job;
        },
        knowsAcquisitions,
        async () => ({
          words: `Whether it claimed is unknown; ${await lookAt(id, () => list(undefined, LOOKING_AFTER))}.`,
          hint: 'If this call claimed it, that lease runs out by itself: then it can be claimed again.',
        }),
      );
    },
    heartbeat: (id, body) => {
      const request = { method: 'POST', path: pathOf(id, 'heartbeat'), body } as const;
      return call(HeartbeatAnswer, request, { repeatable: true, subject: id });
    },
    submit: (id, idempotencyKey, body) => end(id, 'submit', idempotencyKey, body),
    fail: (id, idempotencyKey, body) => end(id, 'fail', idempotencyKey, body),
  };
}

/** @throws Failure `usage` for ids that cannot stand in a path: it would be another one */
function pathOf(id: string, call: string): string {
  if (/^\.{0,2}$/.test(id)) {
    throw new Failure('usage', `${JSON.stringify(id)} is no id of a job.`, {
      hint: 'See the ids of those that can be claimed: leasectl jobs list',
    });
  }
  return `/jobs/${encodeURIComponent(id)}/${call}`;
}

export function jobsOf(list: JobList): readonly Job[] {
  return 'items' in list ? list.items : list;
}

/** Whether a job can still be claimed, in words. */
async function lookAt(id: string, list: () => Promise<JobList>): Promise<string> {
  try {
    const isListed = jobsOf(await list()).some(({ job_id }) => job_id === id);
    return isListed ? 'the job can still be claimed' : 'the job is not, or no longer, listed';
  } catch {
    return 'the jobs could not be listed';
  }
}
