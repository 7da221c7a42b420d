import type { LeaseKind, Sighting } from '../insight/sighting.ts';
import { type Change, changeOf } from './change.ts';
import { happen } from './happen.ts';
import { type Health, healthOf, isTold, keyOf, type Row } from './row.ts';
import { asNoted, see } from './see.ts';
import type { Happening, Place, Update } from './update.ts';

/** How long what ended, and what is finished, stays to be seen, in milliseconds; and how many of them. */
const ENDED_STAYS = 600_000;
const FINISHED_STAYS = 30_000;
const MOST_STAY = 500;

/** How often it is asked what time alone says, and after how long nobody answers, in milliseconds. */
const ASK_AGAIN = 1_000;
const LONG_DOUBT = 10_000;

/** What answers of the same clock differ by, in milliseconds. */
const CLOCK_NOISE = 2_000;

type Seen = Pick<Extract<Update, { type: 'seen' }>, 'sighting' | 'own' | 'isAnothers'>;

/** What is known of a place. */
export interface PlaceState {
  readonly place: Place;
  /** What its clock is ahead of ours, in milliseconds: at least so much. */
  ahead: number;
  /** Why it does not answer; undefined where it does. */
  problem: string | undefined;
}

/**
 * The leases that are watched, kept up to date by what is told of them, and by the time that passes.
 * `now` is this machine's time.
 */
export class WatchModel {
  readonly #rows = new Map<string, Row>();
  readonly #doubts: Row[] = [];
  readonly #places = new Map<string, PlaceState>();
  readonly #isAsked: (place: Place, kind: LeaseKind, id: string) => boolean;
  /** Grows whenever rows come or go, or are to be sorted otherwise. */
  revision = 0;

  /** @param isAsked whether a lease was asked for by name: then it stays whatever becomes of it */
  constructor(isAsked: (place: Place, kind: LeaseKind, id: string) => boolean = () => false) {
    this.#isAsked = isAsked;
  }

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  get places(): readonly PlaceState[] {
    return [...this.#places.values()];
  }

  /** The time by the clock that a row's times are of. */
  timeOf({ place }: Row, now: number): number {
    return now + this.#stateOf(place).ahead;
  }

  isReached({ place }: Row): boolean {
    return this.#stateOf(place).problem === undefined;
  }

  /** @returns what changed, in the order in which it did */
  apply(updates: readonly Update[], now: number): Change[] {
    const changes: Change[] = [];
    for (const update of updates) this.#applyOne(update, now, changes);
    return changes;
  }

  /** What became of the leases by the time that passed. */
  tick(now: number): Change[] {
    const changes: Change[] = [];
    for (const row of this.#rows.values()) {
      const moment = { at: now, time: this.timeOf(row, now) };
      const health = healthOf(row, moment.time, this.isReached(row));
      if (health === row.told) continue;
      if (!isTold(row, health)) {
        this.#doubt(row, now);
        continue;
      }
      this.revision += 1;
      row.told = health;
      if (isWarning(health)) changes.push(changeOf(health, row, moment));
      // What was told as an event, is told.
      if (health === 'ended' && row.state === 'held') {
        row.state = 'expired';
        row.changedAt = row.endsAt ?? row.changedAt;
        changes.push(changeOf('expired', row, moment));
      }
    }
    this.#forget(now);
    return changes;
  }

  /**
   * The rows of which only time says that something became of them: their service is to be asked. Each
   * is told at most once a second.
   */
  takeDoubts(): readonly Row[] {
    return this.#doubts.splice(0);
  }

  #doubt(row: Row, now: number): void {
    row.doubtedAt ??= now;
    if (now - row.doubtedAt > LONG_DOUBT && row.told !== 'no_contact') {
      row.told = 'no_contact';
      this.revision += 1;
    }
    if (Math.abs(now - row.askedAt) < ASK_AGAIN) return;
    row.askedAt = now;
    this.#doubts.push(row);
  }

  #applyOne(update: Update, now: number, changes: Change[]): void {
    const { place } = update;
    switch (update.type) {
      case 'seen':
        this.#lookAtClock(place, update.sighting, now);
        this.#see(place, update, now, changes);
        break;
      case 'listed':
        // The clock of either may have been set since.
        this.#stateOf(place).ahead = update.at - now;
        this.#list(place, update, now, changes);
        break;
      case 'happened':
        this.#synchronize(place, update.happening.at, now);
        this.#happen(place, update.happening, now, changes);
        break;
      case 'contact':
        this.#contact(place, update.problem, now, changes);
    }
  }

  #see(place: Place, { sighting, own, isAnothers }: Seen, now: number, changes: Change[]): void {
    const told = own && sighting.state === 'untold' ? asNoted(sighting, own) : sighting;
    if (!this.#isWorthARow(place, told)) return;
    const row = this.#rowFor(place, told.kind, told.id);
    const change = see(row, told, own, isAnothers);
    if (change !== undefined) this.#tell(change, row, now, changes);
  }

  /** What is over already when it is first seen, and was not asked for, is of no interest. */
  #isWorthARow(place: Place, { kind, id, state, endsAt, at }: Sighting): boolean {
    if (state === 'held' || state === 'untold') return true;
    if (state === 'expired' && endsAt !== undefined && endsAt > at - ENDED_STAYS) return true;
    return this.#isAsked(place, kind, id) || this.#rows.has(keyOf(place, kind, id));
  }

  #list(
    place: Place,
    { sightings, at }: { readonly sightings: readonly Sighting[]; readonly at: number },
    now: number,
    changes: Change[],
  ): void {
    const listed = new Set(sightings.map(({ kind, id }) => keyOf(place, kind, id)));
    for (const sighting of sightings) this.#see(place, { sighting }, now, changes);
    for (const row of this.#rows.values()) {
      const isThere = isSame(row.place, place) && row.state === 'held';
      if (!isThere || listed.has(row.key) || row.changedAt >= at) continue;
      const isOver = row.endsAt !== undefined && row.endsAt <= at;
      row.state = isOver ? 'expired' : 'untold';
      row.changedAt = isOver ? (row.endsAt ?? at) : at;
      if (!isOver) row.endsAt = undefined;
      this.#tell(isOver ? 'expired' : 'unseen', row, now, changes);
    }
  }

  #happen(place: Place, happening: Happening, now: number, changes: Change[]): void {
    const { kind, id, what, caller, reason } = happening;
    const known = this.#rows.get(keyOf(place, kind, id));
    // What nobody ever had is no lease that could be watched, and a refusal tells nothing of it.
    if (!known && (what === 'added' || what === 'refused')) return;
    const row = known ?? this.#rowFor(place, kind, id);
    const change = happen(row, happening);
    if (change !== undefined) this.#tell(change, row, now, changes, { caller, reason });
  }

  #contact(place: Place, problem: string | undefined, now: number, changes: Change[]): void {
    const state = this.#stateOf(place);
    if ((state.problem === undefined) !== (problem === undefined)) {
      const type = problem === undefined ? 'contact_restored' : 'contact_lost';
      changes.push({ type, place, at: now, problem });
      this.revision += 1;
    }
    state.problem = problem;
  }

  #tell(
    type: Parameters<typeof changeOf>[0],
    row: Row,
    now: number,
    changes: Change[],
    by: { readonly caller?: string | undefined; readonly reason?: string | undefined } = {},
  ): void {
    const moment = { at: now, time: this.timeOf(row, now) };
    const health = healthOf(row, moment.time, this.isReached(row));
    if (health !== row.told && isTold(row, health)) {
      this.revision += 1;
      row.told = health;
    }
    changes.push(changeOf(type, row, moment, by));
  }

  #rowFor(place: Place, kind: LeaseKind, id: string): Row {
    const key = keyOf(place, kind, id);
    const known = this.#rows.get(key);
    if (known) return known;
    const row: Row = {
      ...{ key, place, kind, id, state: 'untold', isBroken: false, told: 'unknown' },
      ...{ isCancelRequested: false, version: -1, changedAt: Number.NEGATIVE_INFINITY },
      ...{ fencingToken: undefined, endsAt: undefined, ttl: undefined, acquiredAt: undefined },
      ...{
        renewedAt: undefined,
        rhythm: undefined,
        renewals: 0,
        holder: undefined,
        origin: undefined,
      },
      ...{
        process: undefined,
        isOwn: false,
        caller: undefined,
        errorCode: undefined,
        doubtedAt: undefined,
      },
      ...{ seenAt: Number.NEGATIVE_INFINITY, askedAt: Number.NEGATIVE_INFINITY },
    };
    this.#rows.set(key, row);
    this.revision += 1;
    return row;
  }

  /** Answers take their time, so the greatest is the truest; unless a clock was set. */
  #lookAtClock(place: Place, { at, state: told }: Sighting, now: number): void {
    const state = this.#stateOf(place);
    // What only this machine knows is by its own clock.
    if (told === 'untold') {
      if (state.ahead === Number.NEGATIVE_INFINITY) state.ahead = 0;
      return;
    }
    const isSet = Math.abs(at - now - state.ahead) > CLOCK_NOISE;
    state.ahead = isSet ? at - now : Math.max(state.ahead, at - now);
  }

  /** What happened cannot be yet to come. */
  #synchronize(place: Place, at: number, now: number): void {
    const state = this.#stateOf(place);
    state.ahead = Math.max(state.ahead, at - now);
  }

  #stateOf(place: Place): PlaceState {
    const key = keyOf(place, 'key', '');
    let state = this.#places.get(key);
    if (!state) {
      state = { place, ahead: Number.NEGATIVE_INFINITY, problem: undefined };
      this.#places.set(key, state);
    }
    return state;
  }

  /** What is over goes after a while, and sooner where there is much of it. */
  #forget(now: number): void {
    const over = [...this.#rows.values()].filter(
      ({ told, place, kind, id }) =>
        told !== 'healthy' && isOver(told) && !this.#isAsked(place, kind, id),
    );
    const kept = over
      .filter((row) => this.timeOf(row, now) - row.changedAt < staysFor(row))
      .sort((a, b) => b.changedAt - a.changedAt)
      .slice(0, MOST_STAY);
    if (kept.length === over.length) return;
    const stays = new Set(kept);
    for (const row of over) if (!stays.has(row)) this.#rows.delete(row.key);
    this.revision += 1;
  }
}

/** What is told when it begins to be so. */
function isWarning(health: Health) {
  return health === 'late' || health === 'ending' || health === 'suspended' || health === 'gone';
}

function isOver(health: Row['told']): boolean {
  return health === 'ended' || health === 'free' || health === 'finished' || health === 'unknown';
}

function staysFor({ told }: Row): number {
  return told === 'ended' ? ENDED_STAYS : FINISHED_STAYS;
}

function isSame(a: Place, b: Place): boolean {
  return a.service === b.service && a.profile === b.profile && a.location === b.location;
}
