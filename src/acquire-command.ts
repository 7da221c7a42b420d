import { string } from '@oclif/core/flags';
import type { Answer } from './base-command.ts';
import { type Limits, TAKES_A_LEASE } from './capability.ts';
import { formatDuration, parseDuration } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';
import type { JsonObject } from './domain/json.ts';
import { quoted } from './domain/shell.ts';
import { KeyCommand, type KeyConnection } from './key-command.ts';
import type { LeaseAddress } from './ledger/ledger.ts';
import { contextFlags, type TakenHere, withOrigin } from './origin/take-origin.ts';
import type { Style } from './output/style.ts';
import { type Detail, grouped, renderDetails } from './output/table.ts';
import { serviceTime, timeLeft } from './output/time.ts';
import { patiently } from './patience.ts';
import { CHANGING_FLAGS } from './service-command.ts';
import type { LeaseRequest, LeaseResponse } from './services/onceonly/wire.ts';

/** What the commands that acquire a key share: `lease` and `run`. */
export abstract class AcquireCommand extends KeyCommand {
  static override readonly baseFlags = CHANGING_FLAGS;
  static readonly limits: Limits = TAKES_A_LEASE;
  static readonly acquireFlags = {
    ttl: string({
      description:
        "How long the lease lasts unless it is extended, 1s to 30d [default: the service's; 5m if embedded]",
      helpValue: 'DURATION',
    }),
    meta: string({
      description: 'Note a name and a value with the lease',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    metadata: string({
      description: 'Note an object with the lease; --meta is added to it',
      helpValue: 'JSON|@FILE|-',
    }),
    ...contextFlags,
  };

  protected async leaseRequest(
    key: string,
    flags: { ttl?: string | undefined; meta?: string[] | undefined; metadata?: string | undefined },
  ): Promise<LeaseRequest> {
    const metadata: JsonObject = {
      ...(await this.readObject(flags.metadata, '--metadata')),
      ...Object.fromEntries(this.readPairs(flags.meta, '--meta')),
    };
    return {
      key,
      ...(flags.ttl === undefined ? {} : { ttl: parseDuration(flags.ttl, '--ttl') }),
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    };
  }

  /**
   * Asks for a lease and remembers its handle.
   *
   * @param options.isIdempotent whether a lease that this machine holds already is as good
   */
  protected async acquire(
    connection: KeyConnection,
    method: 'lease' | 'run',
    request: LeaseRequest,
    { isIdempotent, origin }: { isIdempotent: boolean; origin: TakenHere },
  ): Promise<Answer> {
    const { key } = request;
    const address = connection.addressOf(key);
    // Opened first: a lease whose handle cannot be kept is of no use to anybody.
    await this.context.ledger();
    const sentAt = this.context.now();
    const answer = await connection.client[method](
      { ...request, ...withOrigin(request.metadata, origin) },
      this.context.newIdempotencyKey(),
    );
    const seconds = answer.status === 'acquired' ? (answer.ttl ?? request.ttl) : answer.ttl_left;
    const endsAt = seconds == null ? undefined : sentAt + seconds * 1000;

    if (answer.status === 'acquired' && answer.lease_id) {
      const handle = this.context.redactor.add(answer.lease_id);
      const times = { acquiredAt: sentAt, expiresAt: endsAt ?? sentAt };
      await this.note((ledger) =>
        ledger.remember(address, { handle, ...times, origin: origin.noted }),
      );
    }
    const isOurs = isHeld(answer) && (await this.#isOurs(answer, address, isIdempotent));
    return {
      data: answer,
      text: (style) =>
        renderDetails(this.#details(answer, isOurs, endsAt, address.profile, style), style),
      failure: isOurs && isIdempotent ? undefined : failureOf(answer, isOurs, IF_OURS),
    };
  }

  /**
   * Whether this machine holds what the answer tells of. Another process may have acquired it just
   * now and not noted it yet: who depends on it looks again for a moment.
   */
  async #isOurs(
    { lease_id }: LeaseResponse,
    address: LeaseAddress,
    isPatient: boolean,
  ): Promise<boolean> {
    const ledger = await this.context.ledger();
    const isOurs = () => {
      const own = ledger.find(address)?.handle;
      return (own !== undefined && own === lease_id) || undefined;
    };
    return (await patiently(isOurs, isPatient ? undefined : 1)) ?? false;
  }

  #details(
    answer: LeaseResponse,
    isOurs: boolean,
    endsAt: number | undefined,
    profile: string,
    style: Style,
  ): Detail[] {
    const { usage, limit, charged } = answer;
    const used =
      usage == null || limit == null ? '' : ` (${grouped(usage)} of ${grouped(limit)} used)`;
    return [
      ['Key', answer.key],
      ['Status', isOurs ? `${answer.status} (held by this machine)` : answer.status],
      ['Until', endsAt && timeLeft(endsAt, this.context.now(), style)],
      ['Finished', serviceTime(answer.done_at, style)],
      ['Error', answer.error_code],
      ['Version', answer.version],
      ['Charged', charged == null ? undefined : `${charged}${used}`],
      ['Profile', profile],
    ];
  }
}

const IF_OURS =
  'To count that as success, add --idempotent; to hold it for longer: leasectl extend.';

export function isHeld({ status }: LeaseResponse): boolean {
  return status === 'polling' || status === 'in_progress';
}

/**
 * What an answer other than "acquired" means.
 *
 * @param hintIfOurs what to do where it is this machine that holds the lease
 */
export function failureOf(
  answer: LeaseResponse,
  isOurs: boolean,
  hintIfOurs: string,
): Failure | undefined {
  const { key, status, ttl_left, retry_after_sec, error_code } = answer;
  if (status === 'acquired') return undefined;
  if (!isHeld(answer)) {
    const how = error_code ? `${status}, ${error_code}` : status;
    return new Failure('conflict', `${key} is already finished (${how}).`, {
      hint: `A finished key is not leased again. What it stored: leasectl result ${quoted(key)}`,
    });
  }
  const left = ttl_left == null ? '' : `, for ${formatDuration(ttl_left)} more`;
  if (isOurs) {
    return new Failure('held', `${key} is held by this machine already${left}.`, {
      hint: hintIfOurs,
    });
  }
  const wait = retry_after_sec == null ? 'later' : `in ${formatDuration(retry_after_sec)}`;
  return new Failure('held', `${key} is held by somebody else${left}.`, {
    hint: `Try again ${wait}, or see what keeps it: leasectl why ${quoted(key)}`,
  });
}
