import { digestOf } from './domain/digest.ts';
import { Failure } from './domain/failure.ts';
import type { JsonObject } from './domain/json.ts';
import { isStale, type Lock } from './job-command.ts';
import type { LeaseAddress } from './ledger/address.ts';
import type { Attempt } from './ledger/attempts.ts';
import type { LockHandle } from './services/retaia/wire.ts';
import type { Books } from './work.ts';

/** How a lease on a job is ended. */
export interface JobEnding<Body extends JsonObject> {
  readonly address: LeaseAddress;
  readonly way: 'submit' | 'fail';
  /** Given by the user; else a new one is made, and kept until the answer is known. */
  readonly idempotencyKey: string | undefined;
  /** The request, without what proves the lease. */
  readonly bodyOf: (lock: Lock) => Body;
  readonly send: (idempotencyKey: string, body: Body & LockHandle) => Promise<unknown>;
}

export interface EndingPorts {
  readonly books: Books;
  readonly newIdempotencyKey: () => string;
}

/**
 * Ends the lease on a job, and forgets it. The same again is the same request, also in another
 * process, as long as its answer is not known.
 *
 * @throws Failure as the service's refusal; `usage` when another request waits for its answer
 */
export async function endJob<Body extends JsonObject>(
  ending: JobEnding<Body>,
  lock: Lock,
  ports: EndingPorts,
): Promise<unknown> {
  const { address, bodyOf, send } = ending;
  const { books } = ports;
  const attempt = await attemptOf(ending, lock, ports);
  const { idempotencyKey, fencingToken } = attempt;
  const proof = { lock_token: lock.token, fencing_token: fencingToken };
  try {
    const answer = await send(idempotencyKey, { ...bodyOf(lock), ...proof });
    await books.note((ledger) => {
      ledger.settle(address, idempotencyKey);
      ledger.forget(address, lock.token);
    });
    return answer;
  } catch (error) {
    if (!isDecision(error)) throw unknown(address.id, error);
    await books.note((ledger) => ledger.settle(address, idempotencyKey));
    // An earlier run's fencing token is outdated by a heartbeat: then that run's request was never
    // recorded, for its key would have been known.
    const isOutdated = isStale(error) && fencingToken !== lock.fencingToken;
    if (isOutdated) return endJob(ending, lock, ports);
    throw error;
  }
}

/** What to do where nobody knows whether the request was recorded. */
function unknown(id: string, error: unknown): unknown {
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
async function attemptOf<Body extends JsonObject>(
  { address, way, idempotencyKey: given, bodyOf }: JobEnding<Body>,
  lock: Lock,
  { books, newIdempotencyKey }: EndingPorts,
): Promise<Attempt> {
  const ledger = await books.ledger();
  if (given !== undefined && !/^[\x21-\x7e]{1,255}$/.test(given)) throw unusableKey(given);
  const attempt: Attempt = {
    idempotencyKey: given ?? newIdempotencyKey(),
    requestHash: await digestOf({ way, body: bodyOf(lock) }),
    handle: lock.token,
    fencingToken: lock.fencingToken,
  };
  const begun = ledger.begin(address, attempt);
  const isSame = begun.requestHash === attempt.requestHash;
  if (isSame && (given === undefined || begun.idempotencyKey === given)) return begun;
  if (given === undefined) throw lostBefore(address.id);
  ledger.replace(address, attempt);
  return attempt;
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
