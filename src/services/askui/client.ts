import { createCall, withWhatIsKnown } from '../../http/call.ts';
import type { Transport } from '../../http/transport.ts';
import { askUiErrors, LOST_STATUSES } from './errors.ts';
import { CompleteAnswer, type Ending, LeaseAnswer, type LeaseQuery, PingAnswer } from './wire.ts';

/**
 * AskUI's runner job endpoints. Every method answers with the service's own object, checked against
 * the contract, and throws a Failure for everything else.
 */
export interface AskUiClient {
  /**
   * The next job that fits; null when none does.
   *
   * @param idempotencyKey one per intent to lease; its repetition never leases twice
   */
  lease(query: LeaseQuery, idempotencyKey: string): Promise<LeaseAnswer>;
  /** @throws Failure `lease_lost` when the ack is no longer in force */
  ping(ack: string, subject: string): Promise<PingAnswer>;
  /** @throws Failure `lease_lost` when the ack is no longer in force */
  complete(ack: string, subject: string, status: Ending): Promise<unknown>;
}

export interface AskUiClientOptions {
  readonly transport: Transport;
  /** Whether the service honours `Idempotency-Key`, so that a lease may be asked for again. */
  readonly honoursIdempotencyKey: boolean;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

const PATH = '/api/v1/runner-jobs';

export function createAskUiClient(options: AskUiClientOptions): AskUiClient {
  const { transport, honoursIdempotencyKey, clean } = options;
  const call = createCall(transport, askUiErrors, clean);
  const holding = (subject: string) => ({ repeatable: true, subject, statuses: LOST_STATUSES });
  return {
    lease: async ({ tags, workspace_id, ...parameters }, idempotencyKey) => {
      const query = new URLSearchParams(parameters);
      if (workspace_id !== undefined) query.set('workspace_id', workspace_id);
      for (const tag of tags) query.append('tags', tag);
      const headers = { 'idempotency-key': idempotencyKey };
      try {
        const request = { method: 'POST', path: `${PATH}/lease`, query, headers } as const;
        return await call(LeaseAnswer, request, { repeatable: honoursIdempotencyKey });
      } catch (error) {
        throw await withWhatIsKnown(error, async () => ({
          words: 'Whether it leased a job is unknown.',
          hint: 'A job that it leased becomes visible again by itself, when its time runs out.',
        }));
      }
    },
    ping: (ack, subject) => {
      const query = new URLSearchParams({ ack });
      return call(PingAnswer, { method: 'POST', path: `${PATH}/ping`, query }, holding(subject));
    },
    complete: (ack, subject, status) => {
      const query = new URLSearchParams({ ack });
      const request = {
        method: 'POST',
        path: `${PATH}/complete`,
        query,
        body: { status },
      } as const;
      return call(CompleteAnswer, request, holding(subject));
    },
  };
}

/** When the job becomes visible to others, in milliseconds since 1970; undefined when not told. */
export function visibleAt(visible: string | number | null | undefined): number | undefined {
  const isSeconds = typeof visible === 'number' || /^\d+(\.\d+)?$/.test(visible ?? '');
  const milliseconds = isSeconds ? Number(visible) * 1000 : Date.parse(visible ?? '');
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
