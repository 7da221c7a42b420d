import { failureOf, isHeld } from './acquire-command.ts';
import { quoted } from './domain/shell.ts';
import type { KeyConnection } from './key-command.ts';
import { withOrigin } from './origin/take-origin.ts';
import type { LeaseRequest, LeaseResponse } from './services/onceonly/wire.ts';
import type { Ending, Grant, Lease } from './supervise/lease.ts';
import type { Moment } from './supervise/moment.ts';
import type { HeldWork, Work, WorkHost } from './work.ts';

export interface KeyRequest extends LeaseRequest {
  /** Seconds. */
  readonly ttl: number;
}

/** A key to run a command for. */
export function keyWork(request: KeyRequest, connection: KeyConnection, host: WorkHost): Work {
  const { key } = request;
  const { context, books, clocks, origin } = host;
  const address = connection.addressOf(key);
  return {
    service: address.service,
    location: address.location,
    profile: address.profile,
    acquire: async () => {
      // Opened first: a lease whose handle cannot be kept is of no use to anybody.
      const ledger = await books.ledger();
      const sentAt = clocks.now();
      const answer = await connection.client.lease(
        { ...request, ...withOrigin(request.metadata, origin) },
        context.newIdempotencyKey(),
      );
      if (answer.status === 'acquired' && answer.lease_id) {
        return { found: await held(answer, answer.lease_id, sentAt, request, connection, host) };
      }
      const isOurs = isHeld(answer) && ledger.find(address)?.handle === answer.lease_id;
      const failure = failureOf(answer, isOurs, IF_OURS);
      if (!failure) throw new Error('what is not acquired is a failure');
      if (!isHeld(answer)) throw failure;
      const { retry_after_sec: seconds } = answer;
      const retryAfter = seconds == null ? undefined : seconds * 1000;
      return { failure, retryAfter, ask: `leasectl why ${quoted(key)}` };
    },
  };
}

const IF_OURS = 'Another command has it: to wait for that, add --wait; or end it.';

async function held(
  answer: LeaseResponse,
  leaseId: string,
  sentAt: Moment,
  request: KeyRequest,
  connection: KeyConnection,
  { context, books, clocks, origin }: WorkHost,
): Promise<HeldWork> {
  const { key, ttl } = request;
  const address = connection.addressOf(key);
  const handle = context.redactor.add(leaseId);
  const granted: Grant = { sentAt, duration: (answer.ttl ?? ttl) * 1000 };
  const expiresAt = sentAt.wall + granted.duration;
  await books.note((ledger) =>
    ledger.remember(address, {
      handle,
      acquiredAt: sentAt.wall,
      expiresAt,
      origin: origin.noted,
    }),
  );
  const lease: Lease = {
    granted,
    renew: async (limit) => {
      const client = await connection.within(limit);
      const sentAt = clocks.now();
      const { ttl: seconds } = await client.extend({ key, lease_id: handle, ttl });
      const duration = seconds * 1000;
      await books.note((ledger) => ledger.prolong(address, handle, sentAt.wall + duration));
      return { sentAt, duration };
    },
    end: async (ending, limit) => {
      const client = await connection.within(limit);
      const proof = { key, lease_id: handle };
      if (ending.way === 'failed') await client.fail({ ...proof, error_code: ending.code });
      if (ending.way === 'canceled') await client.cancel({ ...proof, reason: ending.reason });
      if (ending.way === 'done') {
        await client.complete({ ...proof, ...(ending.result ? { result: ending.result } : {}) });
      }
      await books.note((ledger) => ledger.forget(address, handle));
    },
  };
  return {
    lease,
    address,
    handle,
    // It grows with every change, so with every holder.
    fencingToken: answer.version ?? undefined,
    subject: { key },
    variables: { LEASECTL_KEY: key },
    job: undefined,
    goesBack: false,
    resumes: true,
    check: () => undefined,
    again: (ending) => `leasectl ${again(quoted(key), ending)}`,
  };
}

function again(key: string, ending: Ending): string {
  if (ending.way === 'failed') return `fail ${key} --error-code ${ending.code}`;
  return ending.way === 'done' ? `complete ${key} --resume` : `cancel ${key}`;
}
