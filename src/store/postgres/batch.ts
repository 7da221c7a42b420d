import * as z from 'zod/mini';
import type { NewEvent } from '../../engine/history.ts';
import type { Instant, Lease } from '../../engine/lease.ts';
import { EVENT_COLUMNS, routineOf, toEventRow } from '../event-row.ts';
import { COLUMNS, fromRow } from '../lease-row.ts';
import {
  type Address,
  type Counter,
  counterName,
  type Key,
  keyName,
  nameOf,
  namespaceIn,
  recordOf,
  recordsOf,
} from './batch-names.ts';
import * as statements from './batch-statements.ts';
import { valuesOf } from './leases.ts';
import type { Session } from './session.ts';

/** Thrown by what cannot be done together with others. */
export class Alone extends Error {
  override readonly name = 'Alone';
}

/** What is looked up for all at once. */
export interface Wanted {
  readonly addresses: readonly Address[];
  readonly keys: readonly Key[];
  readonly counters: readonly Counter[];
}

interface Keyed {
  readonly leases: readonly Lease[];
  /** Whether somebody else is at it. */
  readonly isLocked: boolean;
}

interface Entry {
  readonly lease: Lease | undefined;
  /** Whether somebody else is at it. */
  readonly isLocked: boolean;
  readonly isNew: boolean;
  readonly isChanged: boolean;
}

const Free = z.object({ place: z.int(), is_free: z.boolean() });
const FoundByKey = z.object({
  ...{ place: z.int(), is_missing: z.boolean() },
  ...{ locked_at: z.int(), leases: z.int() },
});
const Counted = z.object({ place: z.int(), total: z.int() });
const Found = z.object({
  place: z.int(),
  is_missing: z.boolean(),
  is_locked: z.boolean(),
  locked_at: z.int(),
});

interface Charge {
  readonly namespace: string;
  readonly month: string;
  readonly acquisitions: number;
}

/**
 * What was looked up in one transaction for many who go one after the other. Each sees what those before
 * have changed; it is written when all have been there.
 */
export class Batch {
  readonly #session: Session;
  readonly #begun: Promise<void>;
  readonly #entries = new Map<string, Entry>();
  readonly #keyed = new Map<string, Keyed>();
  readonly #events: { readonly namespace: string; readonly event: NewEvent }[] = [];
  readonly #charges = new Map<string, Charge>();
  /** How many leases come to a namespace. */
  readonly #inserted = new Map<string, number>();
  /** What the database has of counters. */
  readonly #totals = new Map<string, Promise<number>>();
  readonly #counted = new Map<string, Counter>();
  readonly #undo: (() => void)[] = [];

  /** @param begun when the transaction is known to have begun */
  constructor(session: Session, begun: Promise<void>) {
    this.#session = session;
    this.#begun = begun;
  }

  get now(): Instant {
    return this.#session.now;
  }

  /** What was counted for somebody. */
  get counted(): readonly Counter[] {
    return [...this.#counted.values()];
  }

  /** @throws StatementError */
  async lookUp({ addresses, keys, counters }: Wanted): Promise<void> {
    this.#count(counters);
    await Promise.all([this.#lookAt(addresses), this.#lookFor(keys), this.#begun]);
  }

  async #lookAt(addresses: readonly Address[]): Promise<void> {
    const wanted = new Map(addresses.map((address) => [nameOf(address), address]));
    if (wanted.size === 0) return;
    const names = [...wanted.keys()];
    const places = [...wanted.values()].map((address, place) => ({ ...address, place }));
    const rows = await this.#session.rows(statements.LOCK_FREE, recordsOf(places));
    for (const row of rows) {
      const { place, is_missing: isNew, is_locked: isLocked, locked_at } = Found.parse(row);
      this.#session.tell(locked_at);
      const lease = isNew ? undefined : fromRow(row);
      this.#entries.set(names[place] ?? '', { lease, isNew, isLocked, isChanged: false });
    }
  }

  async #lookFor(keys: readonly Key[]): Promise<void> {
    const wanted = new Map(keys.map((key) => [keyName(key), key]));
    if (wanted.size === 0) return;
    const names = [...wanted.keys()].map((name, place) => ({ name, place }));
    const places = [...wanted.values()].map((key, place) => ({ ...key, place }));
    // A statement of its own: the next one sees what was committed before the lock was had.
    const locking = this.#session.rows(statements.LOCK_KEYS, recordsOf(names));
    const looking = this.#session.rows(statements.LOCK_KEYED, recordsOf(places));
    const [locks, rows] = await Promise.all([locking, looking]);
    const found = rows.map((row) => ({ ...FoundByKey.parse(row), row }));
    for (const { place, is_free } of locks.map((row) => Free.parse(row))) {
      const own = found.filter((one) => one.place === place);
      this.#session.tell(Math.max(...own.map(({ locked_at }) => locked_at)));
      const leases = own.flatMap(({ row, is_missing }) => (is_missing ? [] : [fromRow(row)]));
      const isLocked = !is_free || own[0]?.leases !== leases.length;
      this.#keyed.set(names[place]?.name ?? '', { leases, isLocked });
    }
  }

  /** @throws Alone where somebody else is at it; StatementError */
  async find(address: Address): Promise<Lease | undefined> {
    if (!this.#entries.has(nameOf(address))) await this.#lookAt([address]);
    return this.#entryOf(address).lease;
  }

  /**
   * @returns leases that were looked up before
   * @throws Alone where somebody else is at it, also of those before; StatementError
   */
  async findByKey(key: Key): Promise<readonly Lease[]> {
    const name = keyName(key);
    const keyed = this.#keyed.get(name);
    if (!keyed || keyed.isLocked) throw new Alone();
    this.#keyed.set(name, { ...keyed, isLocked: true });
    const { namespace, kind } = key;
    for (const lease of keyed.leases) {
      // Those before may have looked it up, and changed it.
      const known = await this.find({ namespace, kind, id: lease.id });
      if (known?.version !== lease.version) throw new Alone();
    }
    return keyed.leases;
  }

  /** @throws Alone unless it was looked up */
  save(address: Address, lease: Lease): void {
    const [entry, { namespace }] = [this.#entryOf(address), address];
    this.#set(this.#entries, nameOf(address), { ...entry, lease, isChanged: true });
    if (!entry.isNew || entry.isChanged) return;
    this.#set(this.#inserted, namespace, (this.#inserted.get(namespace) ?? 0) + 1);
  }

  /** @throws Alone where it may be known already */
  saveEvent(namespace: string, event: NewEvent): boolean {
    if (event.type === 'expired') throw new Alone();
    this.#events.push({ namespace, event });
    this.#undo.push(() => this.#events.pop());
    return true;
  }

  charge(namespace: string, month: string): void {
    const name = counterName({ namespace, month });
    const acquisitions = this.#chargedFor(name) + 1;
    this.#set(this.#charges, name, { namespace, month, acquisitions });
  }

  /** @throws StatementError */
  async stored(namespace: string): Promise<number> {
    const total = await this.#total({ namespace, month: null });
    return total + (this.#inserted.get(namespace) ?? 0);
  }

  /** @throws StatementError */
  async usage(namespace: string, month: string): Promise<number> {
    const total = await this.#total({ namespace, month });
    return total + this.#chargedFor(counterName({ namespace, month }));
  }

  /** What was changed up to now stays. */
  keep(): void {
    this.#undo.length = 0;
  }

  /** Takes back what was changed since then. */
  undo(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  /** Sends all changes. */
  write(): void {
    // In an order that is the same for all nodes: whoever inserts waits for others who do.
    const inOrder = <T extends { readonly name: string }>(values: readonly T[]) =>
      values.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const leases = (isNew: boolean) =>
      inOrder(this.#changed(isNew)).flatMap(({ name, lease }) =>
        lease ? [recordOf(COLUMNS, valuesOf(namespaceIn(name), lease))] : [],
      );
    this.#send(statements.INSERT_LEASES, leases(true));
    this.#send(statements.UPDATE_LEASES, leases(false));
    const events = this.#events.map(({ namespace, event }) => toEventRow(namespace, event));
    this.#send(
      statements.INSERT_EVENTS,
      events.map((row) => recordOf(EVENT_COLUMNS, row)),
    );
    for (const routine of ['lease', 'unknown'] as const) {
      const some = this.#events.filter(({ event }) => routineOf(event) === routine);
      const same = new Map(
        some.map(({ namespace, event: { kind, id, type } }) => [
          routine === 'lease' ? JSON.stringify([namespace, kind, id, type]) : namespace,
          { namespace, kind, id, type },
        ]),
      );
      this.#send(statements.TRIM[routine], [...same.values()]);
    }
    const charges = [...this.#charges].map(([name, charge]) => ({ name, ...charge }));
    this.#send(statements.CHARGE, inOrder(charges));
  }

  #send(sql: string, records: readonly object[]): void {
    if (records.length > 0) this.#session.send(sql, recordsOf(records));
  }

  #entryOf(address: Address): Entry {
    const entry = this.#entries.get(nameOf(address));
    if (!entry || entry.isLocked) throw new Alone();
    return entry;
  }

  #changed(isNew: boolean) {
    return [...this.#entries]
      .filter(([, entry]) => entry.isChanged && entry.isNew === isNew)
      .map(([name, entry]) => ({ name, ...entry }));
  }

  #chargedFor(name: string): number {
    return this.#charges.get(name)?.acquisitions ?? 0;
  }

  #set<T>(values: Map<string, T>, name: string, value: T): void {
    const before = values.get(name);
    values.set(name, value);
    this.#undo.push(() => {
      if (before === undefined) values.delete(name);
      else values.set(name, before);
    });
  }

  #total(counter: Counter): Promise<number> {
    const name = counterName(counter);
    this.#counted.set(name, counter);
    const known = this.#totals.get(name);
    if (known !== undefined) return known;
    this.#count([counter]);
    return this.#total(counter);
  }

  #count(counters: readonly Counter[]): void {
    if (counters.length === 0) return;
    const places = counters.map((counter, place) => ({ ...counter, place }));
    const counting = this.#session.rows(statements.COUNT, recordsOf(places));
    const totals = counting.then((rows) => rows.map((row) => Counted.parse(row)));
    for (const [index, counter] of counters.entries()) {
      const total = totals.then((rows) => rows.find(({ place }) => place === index)?.total ?? 0);
      // Whether anybody wants it is not known yet.
      total.catch(() => undefined);
      this.#totals.set(counterName(counter), total);
    }
  }
}
