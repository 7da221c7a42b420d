import type { Origin } from '../../domain/origin.ts';
import { acquire, createCall, LOOKING_AFTER } from '../../http/call.ts';
import { originHeader } from '../../http/origin-header.ts';
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
   * @param origin where it is leased; for leasectl's own service only
   */
  lease(query: LeaseQuery, idempotencyKey: string, origin?: Origin): Promise<LeaseAnswer>;
  /** @throws Failure `lease_lost` when the ack is no longer in force */
  ping(ack: string, subject: string): Promise<PingAnswer>;
  /** @throws Failure `lease_lost` when the ack is no longer in force */
  complete(ack: string, subject: string, status: Ending): Promise<unknown>;
}

export interface AskUiClientOptions {
  readonly transport: Transport;
  /**
   * Whether the service is known to answer an acquisition with the same `Idempotency-Key` as the
   * first time, so that it may be sent again.
   */
  readonly knowsAcquisitions: () => boolean;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

const PATH = '/api/v1/runner-jobs';

export function createAskUiClient(options: AskUiClientOptions): AskUiClient {
  const { transport, knowsAcquisitions, clean } = options;
  const call = createCall(transport, askUiErrors, clean);
  /** Nothing there tells of a job; but any answer tells what service it is. */
  const lookAtService = () =>
    call(CompleteAnswer, { method: 'GET', path: PATH }, LOOKING_AFTER).catch(() => undefined);
  const holding = (subject: string) => ({ repeatable: true, subject, statuses: LOST_STATUSES });
  return {
    lease: async ({ tags, workspace_id, ...parameters }, idempotencyKey, origin) => {
      const query = new URLSearchParams(parameters);
      if (workspace_id !== undefined) query.set('workspace_id', workspace_id);
      for (const tag of tags) query.append('tags', tag);
      const headers = { 'idempotency-key': idempotencyKey, ...originHeader(origin) };
      const request = { method: 'POST', path: `${PATH}/lease`, query, headers } as const;
      return acquire(
        (options) => call(LeaseAnswer, request, options),
        knowsAcquisitions,
        async ({ code }) => {
          if (code === 'unavailable') await lookAtService();
          return {
            words: 'Whether it leased a job is unknown.',
            hint: 'A job that it leased becomes visible again by itself, when its time runs out.',
          };
        },
      );
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
