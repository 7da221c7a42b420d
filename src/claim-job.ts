import { boolean, string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { quoted } from './domain/shell.ts';
import type { JobConnection } from './job-command.ts';
import { type LeaseEnd, leaseEnd, USUAL_LEASE } from './lease-end.ts';
import { claimNext, type JobFilter } from './services/retaia/find-jobs.ts';
import type { ClaimedJob } from './services/retaia/wire.ts';
import type { Moment } from './supervise/moment.ts';
import type { WorkHost } from './work.ts';

/** Which job is to be claimed: the one with an id, or the next that passes a filter. */
export type Wanted = { readonly id: string } | { readonly filter: JobFilter };

/** What says which job is wanted, where it is not named. */
export const nextFlags = {
  next: boolean({ description: 'Claim the oldest job that nobody else claims first' }),
  type: string({
    description: 'With --next: only a job of this type',
    helpValue: 'TYPE',
    dependsOn: ['next'],
  }),
  capability: string({
    description: 'With --next: only a job that needs no more than the capabilities given',
    helpValue: 'NAME',
    multiple: true,
    multipleNonGreedy: true,
    dependsOn: ['next'],
  }),
};

/** @throws Failure `usage` unless it is either a job or the next one */
export function wantedJob(
  id: string | undefined,
  flags: {
    readonly next: boolean;
    readonly type?: string | undefined;
    readonly capability?: string[] | undefined;
  },
): Wanted {
  // The parser leaves out what was not given.
  if ((id === undefined) === Boolean(flags.next)) {
    return id === undefined
      ? { filter: { type: flags.type, capabilities: flags.capability } }
      : { id };
  }
  throw new Failure('usage', 'Give either the id of a JOB, or --next.', {
    hint: 'See the jobs that can be claimed: leasectl jobs list',
  });
}

export interface Claim {
  readonly job: ClaimedJob;
  readonly sentAt: Moment;
  /** Milliseconds from then. */
  readonly duration: number;
  readonly end: LeaseEnd | undefined;
  /** Secret. */
  readonly lockToken: string;
}

/**
 * Claims a job, and remembers that.
 *
 * @param timeout milliseconds for finding one
 */
export async function claimJob(
  wanted: Wanted,
  connection: JobConnection,
  timeout: number,
  { context, books, clocks, origin }: WorkHost,
): Promise<Claim> {
  // Opened first: a lease whose handle cannot be kept is of no use to anybody.
  await books.ledger();
  const { client } = connection;
  const told = connection.isOurs ? origin.told : undefined;
  let sentAt = clocks.now();
  const claim = (id: string, key: string) => {
    sentAt = clocks.now();
    return client.claim(id, key, told);
  };
  const newIdempotencyKey = () => context.newIdempotencyKey();
  const deadline = performance.now() + timeout;
  const job =
    'id' in wanted
      ? await claim(wanted.id, newIdempotencyKey()).catch((error) =>
          toldIfHeldHere(error, wanted.id, connection, { context, books }),
        )
      : await claimNext({
          client: { list: (limit) => client.list(limit), claim },
          filter: wanted.filter,
          newIdempotencyKey,
          random: Math.random,
          isInTime: () => performance.now() < deadline,
        });
  const end = leaseEnd(job, Date.parse(job.locked_until ?? ''), sentAt.wall, context.now());
  const expiresAt = end?.expiresAt ?? sentAt.wall + USUAL_LEASE;
  const lockToken = context.redactor.add(job.lock_token);
  await books.note((ledger) =>
    ledger.remember(connection.addressOf(job.job_id), {
      handle: lockToken,
      acquiredAt: sentAt.wall,
      expiresAt,
      fencingToken: job.fencing_token ?? undefined,
      jobType: job.job_type ?? undefined,
      origin: origin.noted,
    }),
  );
  return { job, sentAt, duration: expiresAt - sentAt.wall, end, lockToken };
}

/** Says so where it is this very machine that holds the job. */
async function toldIfHeldHere(
  error: unknown,
  id: string,
  { addressOf }: JobConnection,
  { context, books }: Pick<WorkHost, 'context' | 'books'>,
): Promise<never> {
  const held = (await books.ledger()).find(addressOf(id));
  const isHere = held !== undefined && held.expiresAt > context.now();
  if (!(error instanceof Failure) || error.code !== 'held' || !isHere) throw error;
  throw new Failure('held', `${id} is held by this machine already.`, {
    hint: `To hold it for longer: leasectl jobs heartbeat ${quoted(id)}`,
    service: error.service,
    status: error.status,
    reason: error.reason,
    cause: error,
  });
}
