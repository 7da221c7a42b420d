import { string } from '@oclif/core/flags';
import type { Answer } from './base-command.ts';
import { digestOf } from './domain/digest.ts';
import { Failure } from './domain/failure.ts';
import { isJsonObject, type JsonObject } from './domain/json.ts';
import {
  isStale,
  JobCommand,
  type JobConnection,
  type Lock,
  type LockFlags,
} from './job-command.ts';
import type { Attempt } from './ledger/attempts.ts';
import { renderDetails } from './output/table.ts';
import type { LockHandle } from './services/retaia/wire.ts';

/** How a lease on a job is ended. */
export interface EndingOptions<Body extends JsonObject> {
  readonly id: string;
  readonly way: 'submit' | 'fail';
  readonly flags: LockFlags & { readonly 'idempotency-key'?: string | undefined };
  readonly connection: JobConnection;
  /** The request, without what proves the lease. */
  readonly bodyOf: (lock: Lock) => Body;
  readonly send: (idempotencyKey: string, body: Body & LockHandle) => Promise<unknown>;
  /** What became of the job, where the service's answer does not say. */
  readonly status: string;
}

/** What `jobs submit` and `jobs fail` share: a request that is made once, however often it is sent. */
export abstract class EndingCommand extends JobCommand {
  static readonly endingFlags = {
    ...JobCommand.lockFlags,
    'idempotency-key': string({
      description:
        'Key that makes a repetition known [default: a new one, kept until the answer is known]',
      helpValue: 'KEY',
    }),
  };

  protected async end<Body extends JsonObject>(options: EndingOptions<Body>): Promise<Answer> {
    const { id, connection, status } = options;
    const answer = await this.asHolder(id, options.flags, connection, (lock) =>
      this.#sendOnce(options, lock),
    );
    const told = isJsonObject(answer) ? answer['status'] : undefined;
    return {
      data: answer ?? null,
      text: (style) =>
        renderDetails(
          [
            ['Job', id],
            ['Status', typeof told === 'string' ? told : status],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }

  async #sendOnce<Body extends JsonObject>(
    options: EndingOptions<Body>,
    lock: Lock,
  ): Promise<unknown> {
    const address = options.connection.addressOf(options.id);
    const attempt = await this.#attempt(options, lock);
    const { idempotencyKey, fencingToken } = attempt;
    const proof = { lock_token: lock.token, fencing_token: fencingToken };
    try {
      const answer = await options.send(idempotencyKey, { ...options.bodyOf(lock), ...proof });
      await this.note((ledger) => {
        ledger.settle(address, idempotencyKey);
        ledger.forget(address, lock.token);
      });
      return answer;
    } catch (error) {
      if (!isDecision(error)) throw this.#unknown(options.id, error);
      await this.note((ledger) => ledger.settle(address, idempotencyKey));
      // An earlier run's fencing token is outdated by a heartbeat: then that run's request was never
      // recorded, for its key would have been known.
      const isOutdated = isStale(error) && fencingToken !== lock.fencingToken;
      if (isOutdated) return this.#sendOnce(options, lock);
      throw error;
    }
  }

  /** What to do where nobody knows whether the request was recorded. */
  #unknown(id: string, error: unknown): unknown {
    if (!(error instanceof Failure) || error.code !== 'unavailable') return error;
    const { service, status, reason } = error;
    const message = `${error.message} Whether the lease on ${id} was ended is unknown.`;
    return new Failure(error.code, message, {
      hint: 'Run the same command again: it is the same request.',
      service,
      status,
      reason,
      outcomeUnknown: true,
      cause: error,
    });
  }

  /**
   * The attempt to make: the one of an earlier run that got no answer, or a new one.
   *
   * @throws Failure `usage` when that earlier one was about something else
   */
  async #attempt<Body extends JsonObject>(
    { id, way, flags, connection, bodyOf }: EndingOptions<Body>,
    lock: Lock,
  ): Promise<Attempt> {
    const ledger = await this.context.ledger();
    const address = connection.addressOf(id);
    const given = flags['idempotency-key'];
    if (given !== undefined && !/^[\x21-\x7e]{1,255}$/.test(given)) throw unusableKey(given);
    const attempt: Attempt = {
      idempotencyKey: given ?? this.context.newUuid(),
      requestHash: await digestOf({ way, body: bodyOf(lock) }),
      handle: lock.token,
      fencingToken: lock.fencingToken,
    };
    const begun = ledger.begin(address, attempt);
    const isSame = begun.requestHash === attempt.requestHash;
    if (isSame && (given === undefined || begun.idempotencyKey === given)) return begun;
    if (given === undefined) throw lostBefore(id);
    ledger.replace(address, attempt);
    return attempt;
  }
}

/**
 * Whether the service itself decided on the request. A proxy's page, or a token that is refused, says
 * nothing of what became of the same request the first time.
 */
function isDecision(error: unknown): boolean {
  if (!(error instanceof Failure) || error.reason === undefined) return false;
  return [400, 409, 422, 423].includes(error.status ?? 0);
}

function unusableKey(key: string): Failure {
  return new Failure('usage', `--idempotency-key is no usable key: ${JSON.stringify(key)}.`, {
    hint: 'It travels in a header: give 1 to 255 visible ASCII characters, without spaces.',
  });
}

function lostBefore(id: string): Failure {
  const message = `An earlier request to end the lease on ${id} got no answer, and was another one.`;
  return new Failure('usage', message, {
    hint: 'It may have been recorded: run that one again to learn it, or give this one an --idempotency-key of its own.',
  });
}
