import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import { changeSince } from '../insight/change.ts';
import type { Facts } from '../insight/facts.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import type { LeaseView, Look } from '../look/lease.ts';
import type { Clocks } from '../supervise/moment.ts';
import { observe } from './observe.ts';
import { type Way, wayToEnd } from './ways.ts';
import * as words from './words.ts';

/** What is wanted of a lease that somebody else holds. */
export interface BreakRequest {
  readonly view: LeaseView;
  /** For the history; 1 to 500 characters. */
  readonly reason: string;
  /**
   * How long to look that nobody renews it, in milliseconds: 0 for not at all, undefined for as long
   * as it lasts, and a minute at most.
   */
  readonly observe: number | undefined;
}

/** Those who are told, and asked. */
export interface BreakPorts {
  readonly clocks: Clocks;
  /** Tells something that stays, as a line. */
  readonly tell: (line: string) => void;
  /** Shows how far the observing is, in the place of what it showed before; undefined at its end. */
  readonly show: (line: string | undefined) => void;
  /** Ends all before the lease is broken. */
  readonly signal?: AbortSignal | undefined;
  /** @returns whether it is meant, now that it was told who has it; without it, it is */
  readonly isMeant?: ((id: string) => Promise<boolean>) | undefined;
}

/** What became of it. `ended`: nobody held it any more; `kept`: it was not meant. */
export interface BreakResult {
  readonly kind: LeaseKind;
  readonly id: string;
  readonly outcome: 'broken' | 'ended' | 'kept';
  /** How it was ended. */
  readonly way: Way['name'] | null;
  readonly state: string;
  /** Who had it, as far as that is told. */
  readonly holder: string | null;
  readonly fencing_token: number | null;
  readonly reason: string;
  /** Seconds. */
  readonly observed: number;
}

type Known = Pick<BreakResult, 'outcome' | 'state' | 'reason'> &
  Partial<Pick<BreakResult, 'way' | 'observed'>>;

/**
 * Ends somebody else's lease, once nobody was seen to renew it, and only if it is still the one that
 * was seen first.
 *
 * @throws Failure `held` when it is renewed, or taken by somebody else; `not_found` for what the
 *   service does not know, `conflict` for what is finished, `usage` where only its holder can end it
 */
export async function breakLease(
  context: Context,
  request: BreakRequest,
  ports: BreakPorts,
): Promise<BreakResult> {
  const { view, reason } = request;
  const first = await view.look();
  const result = (
    outcome: BreakResult['outcome'],
    state: string,
    more: Pick<Known, 'way' | 'observed'> = {},
  ) => resultOf(view, first, { outcome, state, reason, ...more });
  if (first.sighting.state !== 'held') return result('ended', assertFree(view, first));
  const way = wayToEnd(context, view, first);
  if (!way) throw words.notHere(view, first);
  const facts = await holderOf(context, view, first);
  for (const line of words.aboutHolder(view, facts, way)) ports.tell(line);
  if (ports.isMeant && !(await ports.isMeant(view.address.id))) return result('kept', 'held');

  const { last, change, observed } = await observe(view, first, request.observe, ports);
  if (ports.signal?.aborted) return result('kept', 'held');
  if (change !== 'none') return result('ended', stateAfter(view, first, last), { observed });
  const broken = (state: string) => result('broken', state, { way: way.name, observed });
  // What was not observed may have been renewed.
  const version = request.observe === 0 ? undefined : last.sighting.version;
  try {
    return broken(await way.end(reason, version));
  } catch (error) {
    const instead = await lookInstead(view, error);
    if (changeSince(first, instead) !== 'none') {
      return result('ended', stateAfter(view, first, instead), { observed });
    }
    // Its holder was asked to stop.
    if (instead.sighting.version === version) throw error;
    return broken(await way.end(reason, instead.sighting.version));
  }
}

/** Who holds it, and whether that is this machine. */
async function holderOf(context: Context, view: LeaseView, look: Look): Promise<Facts> {
  const [{ lookAtLease }, { factsOf }] = await Promise.all([
    import('../ledger/look.ts'),
    import('../why/facts.ts'),
  ]);
  return factsOf(context, look, undefined, lookAtLease(context.paths.handles, view.address));
}

/** @returns the state of what nobody holds */
function assertFree(view: LeaseView, { sighting }: Look): string {
  const { state, isClosed } = sighting;
  if (state === 'never_seen') throw words.neverSeen(view);
  if (state === 'untold') throw words.notTold(view);
  if (state === 'completed' || state === 'failed' || isClosed) throw words.finished(view, state);
  return state;
}

/** @returns the state of what nobody holds any more @throws Failure `held` where somebody does */
function stateAfter(view: LeaseView, first: Look, last: Look): string {
  const change = changeSince(first, last);
  if (change === 'renewed') throw words.renewed(view, last);
  if (change === 'taken') throw words.taken(view, last);
  return last.sighting.state;
}

/** What is there in the place of what was to be broken. @throws the error where that is of no matter */
async function lookInstead(view: LeaseView, error: unknown): Promise<Look> {
  const isRefused =
    error instanceof Failure && (error.code === 'conflict' || error.code === 'lease_lost');
  if (!isRefused) throw error;
  return view.look();
}

function resultOf(
  { kind, address }: LeaseView,
  { sighting }: Look,
  { outcome, way = null, state, reason, observed = 0 }: Known,
): BreakResult {
  return {
    ...{ kind, id: address.id, outcome, way, state },
    ...{ holder: sighting.holder ?? null, fencing_token: sighting.fencingToken ?? null },
    ...{ reason, observed },
  };
}
