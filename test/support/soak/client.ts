import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FinishWay } from '../../../src/engine/lease.ts';
import type { Random } from '../random.ts';
import type { Ask } from './asking.ts';
import type { Acquired, Changed, Dialect, Held, Wish } from './dialects.ts';
import type { Change, Entry } from './journal.ts';
import type { Supply } from './supply.ts';

export interface ClientOptions {
  readonly name: string;
  /** The nodes, any of which will do. */
  readonly nodes: readonly Ask[];
  readonly dialects: readonly Dialect[];
  readonly supply: Supply;
  readonly random: Random;
  readonly tell: (entry: Entry) => void;
  readonly tellOddity: (oddity: string) => void;
  readonly isOver: () => boolean;
}

/** What came of asking, however often. */
interface Result<T> {
  /** Undefined where nobody knows. */
  readonly value: T | undefined;
  readonly span: Pick<Entry, 'by' | 'sent' | 'answered' | 'tries'>;
}

/** How long who finds nothing to do waits, in milliseconds, at most. */
const PAUSE = 120;
/** How often something is asked for again, when nobody knows what became of it; and not at all. */
const MOST_TRIES = 4;
const MOST_REFUSED_CONNECTIONS = 50;

/** What a holder does with its lease. */
const HABITS = ['brief', 'brief', 'keeper', 'keeper', 'giver', 'late', 'gone'] as const;

/** One who takes leases, one after the other, and tells of it. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { random, dialects, isOver } = options;
  while (!isOver()) {
    const dialect = random.pick(dialects);
    const held = await acquire(options, dialect);
    if (held) await work(options, dialect, held);
    else await delay(random.between(0, PAUSE));
  }
}

async function acquire(options: ClientOptions, dialect: Dialect): Promise<Held | undefined> {
  const { name, random, supply, tell } = options;
  const { kind, ttl, isChosen } = dialect;
  const id = isChosen ? '' : supply.idOf(kind, random);
  if (id === undefined) return undefined;
  const key = random.chance(0.7) ? randomUUID() : undefined;
  const wish = dialect.acquire(id, name, key, random);
  const result = await insist(options, wish, key !== undefined);
  if (!result) return undefined;
  const { value, span } = result;
  const asked = { ...span, kind, what: 'acquire' } as const;
  if (value?.outcome === 'granted') {
    const { outcome, token } = value;
    const again = key === undefined ? 0 : await acquireAgain(options, wish, value, span.sent + ttl);
    tell({ ...asked, outcome, id: value.id, token, ttl, tries: span.tries + again });
    return value;
  }
  tell({ ...asked, outcome: outcomeOf(value), id: isChosen ? undefined : id });
  if (value?.outcome === 'finished') supply.retire(kind, id);
  if (dialect.look && random.chance(0.3)) await look(options, dialect.look(id), id);
  return undefined;
}

/** How often what was done is asked for again, as if its answer had been lost. */
const REPETITION = 0.15;

/**
 * As long as the lease is live, the same is answered; then it may be another one.
 *
 * @returns how many requests were sent
 */
async function acquireAgain(
  options: ClientOptions,
  wish: Wish<Acquired>,
  first: Held,
  end: number,
): Promise<number> {
  if (!options.random.chance(REPETITION)) return 0;
  const result = await insist(options, wish, false);
  if (!result) return 0;
  const { value, span } = result;
  const isSame = value?.outcome === 'granted' && value.token === first.token;
  if (value && !isSame && span.answered < end - 1) {
    options.tellOddity(`another acquisition of ${first.id} with ${first.token}, by the same key`);
  }
  return span.tries;
}

function outcomeOf(value: Exclude<Acquired, { outcome: 'granted' }> | undefined) {
  return value?.outcome ?? 'unknown';
}

async function look(
  options: ClientOptions,
  wish: ReturnType<NonNullable<Dialect['look']>>,
  id: string,
): Promise<void> {
  const result = await insist(options, wish, false);
  if (!result?.value || result.value === 'none') return;
  options.tell({ ...result.span, ...result.value, kind: 'key', what: 'look', outcome: 'told', id });
}

/** Does something with a lease, up to its end. */
async function work(options: ClientOptions, dialect: Dialect, held: Held): Promise<void> {
  const { random } = options;
  const { ttl } = dialect;
  const habit = random.pick(HABITS);
  switch (habit) {
    case 'gone':
      return;
    case 'late':
      await delay(random.between(1.02, 1.6) * ttl);
      if (random.chance(0.5)) await extend(options, dialect, held);
      return end(options, dialect, held, random.chance(0.5));
    case 'keeper':
      for (let beats = random.between(1, 5); beats > 0; beats -= 1) {
        await delay(random.between(0.2, 0.7) * ttl);
        if ((await extend(options, dialect, held)) === 'refused') return;
      }
      break;
    case 'brief':
    case 'giver':
      await delay(random.between(0, 0.2) * ttl);
  }
  return end(options, dialect, held, habit === 'giver' || random.chance(0.3));
}

async function extend(
  options: ClientOptions,
  dialect: Dialect,
  held: Held,
): Promise<Change['outcome']> {
  return change(options, dialect, held, { what: 'extend' }, dialect.extend(held));
}

/** @param isGivenBack where that can be */
async function end(
  options: ClientOptions,
  dialect: Dialect,
  held: Held,
  isGivenBack: boolean,
): Promise<void> {
  const { random, supply } = options;
  const key = randomUUID();
  if (isGivenBack && dialect.release) {
    await change(options, dialect, held, { what: 'release' }, dialect.release(held, key));
    return;
  }
  const way = random.pick(dialect.ways);
  await change(options, dialect, held, { what: 'finish', way }, dialect.finish(held, way, key));
  supply.retire(dialect.kind, held.id);
}

async function change(
  options: ClientOptions,
  { kind }: Dialect,
  { id, token }: Held,
  what: { what: Change['what']; way?: FinishWay },
  wish: Wish<Changed>,
): Promise<Change['outcome']> {
  const result = await insist(options, wish, true);
  // What never left has not happened.
  if (!result) return 'unknown';
  const { outcome, version } = result.value ?? { outcome: 'unknown', version: undefined };
  options.tell({ ...result.span, ...what, kind, id, token, outcome, version });
  if (outcome === 'done' && what.what !== 'extend') await changeAgain(options, wish, id, version);
  return outcome;
}

/** What ends a lease is answered as the first time, whoever has it by now. */
async function changeAgain(
  options: ClientOptions,
  wish: Wish<Changed>,
  id: string,
  version: number | undefined,
): Promise<void> {
  if (!options.random.chance(REPETITION)) return;
  const value = (await insist(options, wish, true))?.value;
  if (value && (value.outcome !== 'done' || value.version !== version)) {
    options.tellOddity(`${value.outcome} ${value.version}, the same again, for ${id} ${version}`);
  }
}

/**
 * Asks one node after the other until there is an answer, or patience is over.
 *
 * @param isRepeatable whether it may be asked for again when nobody knows what became of it
 * @returns undefined when it reached nobody
 */
async function insist<T>(
  { name: by, nodes, random, tellOddity }: ClientOptions,
  { question, read }: Wish<T>,
  isRepeatable: boolean,
): Promise<Result<T> | undefined> {
  let sent: number | undefined;
  let tries = 0;
  const resultOf = (value: T | undefined): Result<T> | undefined =>
    sent === undefined ? undefined : { value, span: { by, sent, answered: Date.now(), tries } };
  for (let round = 0; round < MOST_REFUSED_CONNECTIONS && tries < MOST_TRIES; round += 1) {
    const leaving = Date.now();
    const reply = await random.pick(nodes)(question);
    const isRefused = reply !== 'unanswered' && reply !== 'unsent' && reply.status === 429;
    if (reply === 'unsent' || isRefused) {
      await delay(random.between(20, 100));
      continue;
    }
    sent ??= leaving;
    tries += 1;
    if (reply !== 'unanswered' && ![503, 504].includes(reply.status)) {
      const value = read(reply);
      if (value === undefined) {
        tellOddity(`${reply.status} ${JSON.stringify(reply.body)} to ${question.path}`);
      }
      return resultOf(value);
    }
    if (!isRepeatable || random.chance(0.3)) break;
    await delay(random.between(20, 200));
  }
  return resultOf(undefined);
}
