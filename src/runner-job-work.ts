import { quoted } from './domain/shell.ts';
import { sourceOf } from './http/exchange.ts';
import { leaseEnd, USUAL_LEASE } from './lease-end.ts';
import { type LeasedRunnerJob, leaseRunnerJob, noneFits } from './lease-runner-job.ts';
import type { RunnerJobConnection } from './runner-job-command.ts';
import { visibleAt } from './services/askui/client.ts';
import type { Ending as AskUiEnding, LeaseQuery } from './services/askui/wire.ts';
import type { Ending } from './supervise/lease.ts';
import { withoutField } from './without-field.ts';
import type { HeldWork, Work, WorkHost } from './work.ts';

/** The next runner job that fits, to run a command for. */
export function runnerJobWork(
  query: LeaseQuery,
  connection: RunnerJobConnection,
  host: WorkHost,
): Work {
  const { service, profile, location } = connection.addressOf('');
  return {
    service,
    location,
    profile,
    acquire: async () => {
      const leased = await leaseRunnerJob(query, connection, host);
      if (!leased) return { failure: noneFits(profile), retryAfter: undefined };
      return { found: await held(leased, connection, host) };
    },
  };
}

const STATUS: Readonly<Record<Ending['way'], AskUiEnding>> = {
  done: 'PASSED',
  failed: 'FAILED',
  canceled: 'CANCELED',
};

async function held(
  { job, sentAt, duration, ack }: LeasedRunnerJob,
  connection: RunnerJobConnection,
  { context, books, clocks }: WorkHost,
): Promise<HeldWork> {
  const { id } = job;
  const address = connection.addressOf(id);
  let last = duration;
  return {
    lease: {
      granted: { sentAt, duration },
      renew: async (limit) => {
        const client = await connection.within(limit);
        const sentAt = clocks.now();
        const answer = await client.ping(ack, id);
        const end = leaseEnd(answer, visibleAt(answer.visible), sentAt.wall, context.now());
        // Where the service says nothing it gives no more than before.
        const expiresAt = end?.expiresAt ?? sentAt.wall + Math.min(last, USUAL_LEASE);
        last = expiresAt - sentAt.wall;
        await books.note((ledger) => ledger.prolong(address, ack, expiresAt));
        return { sentAt, duration: last, isCanceled: answer.cancel_job };
      },
      end: async (ending, limit) => {
        const client = await connection.within(limit);
        await client.complete(ack, id, STATUS[ending.way]);
        await books.note((ledger) => ledger.forget(address, ack));
      },
    },
    address,
    handle: ack,
    // Every lease is one try more.
    fencingToken: job.tries ?? undefined,
    subject: { job_id: id },
    variables: { LEASECTL_JOB_ID: id },
    job: await withoutField(sourceOf(job) ?? JSON.stringify(job), 'ack'),
    goesBack: false,
    resumes: false,
    check: () => undefined,
    again: ({ way }) => `leasectl runner-jobs complete ${quoted(id)} --status ${STATUS[way]}`,
  };
}
