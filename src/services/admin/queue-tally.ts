import { type Instant, phaseOf } from '../../engine/lease.ts';
import type { QueuedWork } from '../../engine/queue.ts';
import type { QueueCounts, QueueType } from './queue-wire.ts';

/** What somebody needs who is to do a piece of work, in the words of its dialect. */
export interface Needs {
  readonly type: string;
  readonly capabilities: readonly string[];
}

interface Group {
  readonly needs: Needs;
  readonly counts: QueueCounts;
  oldestPending: QueuedWork | undefined;
  lastClaimed: QueuedWork | undefined;
  mostRetried: QueuedWork | undefined;
}

interface Tallied extends QueueCounts {
  readonly oldest_pending_id: string | null;
  readonly most_retried_id: string | null;
  readonly oldest_pending_at: string | null;
  readonly last_claimed_at: string | null;
  readonly last_claimed_by: string | null;
}

/** How a queue stands, of all that was counted. */
export interface Tally {
  readonly counted: number;
  readonly whole: Tallied;
  /** The longest waiting first, and last those of which nothing waits. */
  readonly types: readonly QueueType[];
}

/** Counts work, some at a time. */
export class QueueTally {
  readonly #groups = new Map<string, Group>();
  readonly #needsOf: (work: QueuedWork) => Needs;
  #counted = 0;

  constructor(needsOf: (work: QueuedWork) => Needs) {
    this.#needsOf = needsOf;
  }

  /** @param work all of it other than what was counted before */
  add(work: readonly QueuedWork[], now: Instant): void {
    for (const piece of work) count(this.#groupOf(piece), piece, now);
    this.#counted += work.length;
  }

  get counted(): number {
    return this.#counted;
  }

  result(): Tally {
    const groups = [...this.#groups.values()];
    const claimed = new Set(
      groups.flatMap(({ needs, lastClaimed }) => (lastClaimed ? needs.capabilities : [])),
    );
    const types = groups.toSorted(byWaiting).map((group) => typeOf(group, claimed));
    return { counted: this.#counted, whole: tallied(summed(groups)), types };
  }

  #groupOf(piece: QueuedWork): Group {
    const { type, capabilities } = this.#needsOf(piece);
    const needs = { type, capabilities: [...new Set(capabilities)].sort() };
    const name = JSON.stringify(needs);
    const known = this.#groups.get(name);
    if (known) return known;
    const group = { needs, ...nobodys() };
    this.#groups.set(name, group);
    return group;
  }
}

function nobodys(): Omit<Group, 'needs'> {
  return {
    counts: { pending: 0, ran_out: 0, claimed: 0, completed: 0, failed: 0, retried: 0 },
    ...{ oldestPending: undefined, lastClaimed: undefined, mostRetried: undefined },
  };
}

/** Holders that had it in vain, from which on it seems to be the work's own fault. */
const SUSPICIOUS = 3;

function count(group: Group, piece: QueuedWork, now: Instant): void {
  const { counts } = group;
  const phase = phaseOf(piece, now);
  if (phase === 'expired') {
    counts.pending += 1;
    // What was never had, or was given back, has ended when it was changed.
    if (piece.expiresAt > piece.changedAt) counts.ran_out += 1;
    if (isEarlier(piece, group.oldestPending)) group.oldestPending = piece;
  } else counts[phase === 'held' ? 'claimed' : phase] += 1;
  if (isLaterClaimed(piece, group.lastClaimed)) group.lastClaimed = piece;
  const isOver = phase !== 'expired' && phase !== 'held';
  // Who has it now may finish it.
  if (isOver || piece.fencingToken - Number(phase === 'held') < SUSPICIOUS) return;
  counts.retried += 1;
  if (isRetriedMore(piece, group.mostRetried)) group.mostRetried = piece;
}

function isRetriedMore(piece: QueuedWork, other: QueuedWork | undefined): boolean {
  return !other || piece.fencingToken > other.fencingToken;
}

function isEarlier(piece: QueuedWork, other: QueuedWork | undefined): boolean {
  if (!other || piece.firstSeenAt !== other.firstSeenAt) {
    return !other || piece.firstSeenAt < other.firstSeenAt;
  }
  return piece.id < other.id;
}

function isLaterClaimed(piece: QueuedWork, other: QueuedWork | undefined): boolean {
  return piece.fencingToken > 0 && (!other || piece.acquiredAt > other.acquiredAt);
}

function byWaiting(one: Group, other: Group): number {
  const since = ({ oldestPending }: Group) => oldestPending?.firstSeenAt ?? Infinity;
  if (since(one) !== since(other)) return since(one) - since(other);
  return JSON.stringify(one.needs) < JSON.stringify(other.needs) ? -1 : 1;
}

function summed(groups: readonly Group[]): Omit<Group, 'needs'> {
  const sum = nobodys();
  for (const { counts, oldestPending, lastClaimed, mostRetried } of groups) {
    for (const name of COUNTS) sum.counts[name] += counts[name];
    if (oldestPending && isEarlier(oldestPending, sum.oldestPending))
      sum.oldestPending = oldestPending;
    if (lastClaimed && isLaterClaimed(lastClaimed, sum.lastClaimed)) sum.lastClaimed = lastClaimed;
    if (mostRetried && isRetriedMore(mostRetried, sum.mostRetried)) sum.mostRetried = mostRetried;
  }
  return sum;
}

const COUNTS = ['pending', 'ran_out', 'claimed', 'completed', 'failed', 'retried'] as const;

function tallied(group: Omit<Group, 'needs'>): Tallied {
  const { counts, oldestPending, lastClaimed, mostRetried } = group;
  const holder = lastClaimed?.metadata?.['claimed_by'];
  return {
    ...counts,
    oldest_pending_id: oldestPending?.id ?? null,
    most_retried_id: mostRetried?.id ?? null,
    oldest_pending_at: moment(oldestPending?.firstSeenAt),
    last_claimed_at: moment(lastClaimed?.acquiredAt),
    last_claimed_by: typeof holder === 'string' ? holder : null,
  };
}

/** @param claimed capabilities that somebody must have had, for he claimed what needs them */
function typeOf(group: Group, claimed: ReadonlySet<string>): QueueType {
  const { oldest_pending_id: _, most_retried_id: __, ...told } = tallied(group);
  const { type, capabilities } = group.needs;
  return {
    job_type: type,
    required_capabilities: [...capabilities],
    ...told,
    unclaimed_capabilities: capabilities.filter((name) => !claimed.has(name)),
  };
}

function moment(milliseconds: Instant | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
