import { type Claim, claimJob, type Wanted } from './claim-job.ts';
import { Failure } from './domain/failure.ts';
import type { JsonObject } from './domain/json.ts';
import { quoted } from './domain/shell.ts';
import { sourceOf } from './http/exchange.ts';
import { isStale, type JobConnection, type Lock } from './job-command.ts';
import { endJob, type JobEnding } from './job-ending.ts';
import { leaseEnd, USUAL_LEASE } from './lease-end.ts';
import { patchOf } from './services/retaia/patches.ts';
import { SubmitResult } from './services/retaia/wire.ts';
import type { Ending, Grant, Lease } from './supervise/lease.ts';
import { withoutField } from './without-field.ts';
import type { HeldWork, Work, WorkHost } from './work.ts';

export interface JobWorkOptions {
  readonly wanted: Wanted;
  readonly connection: JobConnection;
  /** Milliseconds for finding a job. */
  readonly timeout: number;
  /** Exit codes after which the job may go well another time. */
  readonly retryableExits: readonly number[];
  readonly host: WorkHost;
}

/** A job to run a command for. */
export function jobWork(options: JobWorkOptions): Work {
  const { wanted, connection, timeout, host } = options;
  const { service, profile, location } = connection.addressOf('');
  return {
    service,
    location,
    profile,
    acquire: async () => {
      try {
        const claim = await claimJob(wanted, connection, timeout, host);
        return { found: await held(claim, options) };
      } catch (error) {
        const mayCome =
          error instanceof Failure && (error.code === 'held' || error.code === 'none_available');
        if (!mayCome) throw error;
        return { failure: error, retryAfter: undefined };
      }
    },
  };
}

async function held(claim: Claim, options: JobWorkOptions): Promise<HeldWork> {
  const { job, sentAt, duration, lockToken } = claim;
  const id = job.job_id;
  const fencingToken = job.fencing_token ?? undefined;
  const lock = { token: lockToken, fencingToken, jobType: job.job_type ?? undefined };
  const holder = new JobHolder(id, { ...lock, isFromLedger: true }, duration, options);
  return {
    lease: {
      granted: { sentAt, duration },
      renew: (limit) => holder.renew(limit),
      end: (ending, limit) => holder.end(ending, limit),
    },
    address: options.connection.addressOf(id),
    handle: lockToken,
    fencingToken,
    subject: { job_id: id },
    variables: { LEASECTL_JOB_ID: id },
    job: await withoutField(sourceOf(job) ?? JSON.stringify(job), 'lock_token'),
    goesBack: true,
    resumes: true,
    check: (result) => void submissionOf(lock.jobType, result),
    again: (ending) => holder.again(ending),
  };
}

class JobHolder implements Omit<Lease, 'granted'> {
  readonly #id: string;
  readonly #options: JobWorkOptions;
  /** Of the last grant, in milliseconds. */
  #duration: number;
  #lock: Lock;

  constructor(id: string, lock: Lock, duration: number, options: JobWorkOptions) {
    this.#id = id;
    this.#duration = duration;
    this.#lock = lock;
    this.#options = options;
  }

  async renew(limit: number): Promise<Grant> {
    const { connection, host } = this.#options;
    const client = await connection.within(limit);
    const sentAt = host.clocks.now();
    const { answer, lock } = await this.#asHolder(async (lock) => {
      const proof = { lock_token: lock.token, fencing_token: lock.fencingToken };
      return { answer: await client.heartbeat(this.#id, proof), lock };
    });
    const told = Date.parse(answer?.locked_until ?? '');
    const end = leaseEnd(answer, told, sentAt.wall, host.context.now());
    // Where the service says nothing it gives no more than before.
    const expiresAt = end?.expiresAt ?? sentAt.wall + Math.min(this.#duration, USUAL_LEASE);
    this.#duration = expiresAt - sentAt.wall;
    const fencingToken = answer?.fencing_token ?? undefined;
    this.#lock = { ...lock, fencingToken: fencingToken ?? lock.fencingToken };
    const address = connection.addressOf(this.#id);
    await host.books.note((ledger) => ledger.prolong(address, lock.token, expiresAt, fencingToken));
    return { sentAt, duration: this.#duration };
  }

  async end(ending: Ending, limit: number): Promise<void> {
    const { connection, host } = this.#options;
    const client = await connection.within(limit);
    const id = this.#id;
    const common = { address: connection.addressOf(id), idempotencyKey: undefined };
    const ports = { books: host.books, newIdempotencyKey: () => host.context.newUuid() };
    const send = <Body extends JsonObject>(way: Pick<JobEnding<Body>, 'way' | 'bodyOf' | 'send'>) =>
      this.#asHolder((lock) => endJob({ ...common, ...way }, lock, ports));
    if (ending.way === 'done') {
      const body = submissionOf(this.#lock.jobType, ending.result);
      await send({
        way: 'submit',
        bodyOf: () => body,
        send: (key, request) => client.submit(id, key, request),
      });
    } else {
      const body = this.#failureOf(ending);
      await send({
        way: 'fail',
        bodyOf: () => body,
        send: (key, request) => client.fail(id, key, request),
      });
    }
  }

  again(ending: Ending): string {
    const id = quoted(this.#id);
    if (ending.way === 'done') return `leasectl jobs submit ${id} --resume`;
    const { error_code: code, retryable } = this.#failureOf(ending);
    return `leasectl jobs fail ${id} --error-code ${code}${retryable ? ' --retryable' : ''}`;
  }

  #failureOf(ending: Exclude<Ending, { way: 'done' }>) {
    // Who canceled the command did not say that the job should not be done.
    const [code, retryable] =
      ending.way === 'canceled'
        ? [`canceled:${ending.reason}`, true]
        : [ending.code, this.#options.retryableExits.includes(ending.exit)];
    return { error_code: code, message: code, retryable };
  }

  /**
   * Makes a call with the lock; where a process beside this one got a newer fencing token from a
   * heartbeat, with that.
   */
  async #asHolder<T>(call: (lock: Lock) => Promise<T>): Promise<T> {
    const lock = this.#lock;
    try {
      return await call(lock);
    } catch (error) {
      const { connection, host } = this.#options;
      if (!isStale(error)) throw error;
      if (this.#lock !== lock) return call(this.#lock);
      const known = (await host.books.ledger()).find(connection.addressOf(this.#id));
      const isNewer = known?.handle === lock.token && known.fencingToken !== lock.fencingToken;
      if (!isNewer) throw error;
      this.#lock = { ...lock, fencingToken: known.fencingToken };
      return call(this.#lock);
    }
  }
}

const PARTS = Object.keys(SubmitResult.shape);

/**
 * What is submitted for a result: itself, where it has nothing but what the service knows, and else
 * the patch that the type of the job owns.
 *
 * @throws Failure `invalid_request` when it is not known which that is
 */
export function submissionOf(type: string | undefined, result: JsonObject = {}) {
  const jobType = type ?? '';
  const isWhole = Object.keys(result).every((name) => PARTS.includes(name));
  if (isWhole) return { job_type: jobType, result };
  const patch = patchOf(jobType);
  if (patch) return { job_type: jobType, result: { [patch]: result } };
  throw new Failure(
    'invalid_request',
    `Which patch a job of type ${JSON.stringify(jobType)} takes is not known.`,
    { hint: `Name it in the result: {"facts_patch": {…}}, or another of ${PARTS.join(', ')}.` },
  );
}
