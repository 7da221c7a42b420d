import type { Facts, Happening } from './facts.ts';
import type { Sighting } from './sighting.ts';

/** How often a lease was taken before, and what became of that, as far as that is remembered. */
export interface Past {
  readonly taken: number;
  /** That ran out. */
  readonly lost: number;
  readonly failed: number;
  readonly broken: number;
  /** Tries that went wrong since the last that did not: they ran out, or failed. */
  readonly failedInARow: number;
}

/** Those who asked for a lease that somebody else held. */
export interface Refusals {
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Who asked last comes first. */
  readonly callers: readonly Asking[];
}

export interface Asking {
  /** Undefined where nobody knows. */
  readonly caller: string | undefined;
  readonly count: number;
  readonly lastAt: number;
}

type Fate = 'lost' | 'failed' | 'broken' | 'other';

/** @returns undefined where the service tells no history */
export function pastOf({ sighting, history }: Facts): Past | undefined {
  if (!history) return undefined;
  const fates = [...(isLostSince(sighting, history) ? ['lost' as const] : []), ...fatesOf(history)];
  const count = (fate: Fate) => fates.filter((each) => each === fate).length;
  const good = fates.findIndex((fate) => fate !== 'lost' && fate !== 'failed');
  return {
    taken: sighting.fencingToken ?? fates.length,
    lost: count('lost'),
    failed: count('failed'),
    broken: count('broken'),
    failedInARow: good < 0 ? fates.length : good,
  };
}

const ENDS = ['acquired', 'released', 'broken', 'expired', 'completed', 'failed', 'canceled'];

/** What happened last to who had it. */
export function endOf(history: readonly Happening[] | undefined): Happening | undefined {
  return history?.find(({ type }) => ENDS.includes(type));
}

/** Whether its last holder let it run out, which may not be noted before somebody acquires it again. */
function isLostSince({ state }: Sighting, history: readonly Happening[]): boolean {
  return state === 'expired' && endOf(history)?.type === 'acquired';
}

/** What became of each acquisition that is over, the latest first. */
function fatesOf(history: readonly Happening[]): Fate[] {
  const fates = new Map<number, Fate>();
  for (const happening of history) {
    const fate = fateIn(happening);
    const { fencingToken } = happening;
    if (fate && fencingToken > 0 && !fates.has(fencingToken)) fates.set(fencingToken, fate);
  }
  return [...fates.values()];
}

function fateIn({ type, detail }: Happening): Fate | undefined {
  switch (type) {
    case 'expired':
      return 'lost';
    case 'failed':
      return 'failed';
    case 'broken':
      return 'broken';
    case 'released':
      return detail?.['error_code'] == null ? 'other' : 'failed';
    case 'completed':
    case 'canceled':
      return 'other';
    default:
      return undefined;
  }
}

/** Whether somebody was refused because somebody else held it. */
export function isAsking({ type, detail }: Happening): boolean {
  return type === 'refused' && detail?.['command'] === 'acquire' && detail['reason'] === 'held';
}

/** @returns undefined where nobody was refused, or nothing tells of it */
export function refusalsIn(history: readonly Happening[] | undefined): Refusals | undefined {
  const asked = history?.filter(isAsking) ?? [];
  const [last] = asked;
  const first = asked.at(-1);
  if (!last || !first) return undefined;
  const callers = new Map<string | undefined, Asking>();
  for (const { caller, at } of asked) {
    const known = callers.get(caller) ?? { caller, count: 0, lastAt: at };
    callers.set(caller, { ...known, count: known.count + 1 });
  }
  return {
    count: asked.length,
    firstAt: first.at,
    lastAt: last.at,
    callers: [...callers.values()],
  };
}
