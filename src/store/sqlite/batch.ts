import type { Instant } from '../../engine/lease.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { EVENT_COLUMNS, type EventRow } from '../event-row.ts';

const NOW = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";
const USAGE = 'SELECT acquisitions FROM usage WHERE namespace = ? AND month = ?';
const CHARGE = `INSERT INTO usage (namespace, month, acquisitions) VALUES (?1, ?2, ?3)
  ON CONFLICT (namespace, month) DO UPDATE SET acquisitions = acquisitions + ?3`;
/** As many as a namespace has too many, or some of them. */
const FORGET_OLDEST = `DELETE FROM events WHERE sequence IN (
  SELECT sequence FROM events WHERE namespace = ?1 ORDER BY sequence
  LIMIT (SELECT max(0, min(10 * ?3, events - ?2)) FROM stored WHERE namespace = ?1))`;

/** How many events are written at once, at most: half of them, and so on, where there are fewer. */
const MOST_AT_ONCE = 16;
const ROW = `(${EVENT_COLUMNS.map(() => '?').join(', ')})`;
const SAVE = new Map<number, string>();
for (let rows = MOST_AT_ONCE; rows >= 1; rows /= 2) {
  const values = Array.from({ length: rows }, () => ROW).join(', ');
  SAVE.set(rows, `INSERT INTO events (${EVENT_COLUMNS.join(', ')}) VALUES ${values}`);
}

/** What is read, and written, once for all who take part in a transaction. */
export interface Batch {
  /** The database's time. */
  readonly now: Instant;
  /** Acquisitions in a month, as `View.usage`. */
  usage(namespace: string, month: string): number;
  /** Counts one acquisition. */
  charge(namespace: string, month: string): void;
  /** Counts one event, for which older ones may have to go. */
  countEvent(namespace: string): void;
  /**
   * Counts one event, and writes it later, together with others: one by one that takes half as long again.
   *
   * @param forget is done when it is written
   */
  keepEvent(namespace: string, row: EventRow, forget: (() => void) | undefined): void;
  /** Writes the events that are kept: before anybody looks at events, or writes others. */
  writeEvents(): void;
  /** Writes what was counted, and kept. */
  flush(): void;
}

interface Usage {
  readonly namespace: string;
  readonly month: string;
  readonly before: number;
  more: number;
}

/**
 * Begins one; in the transaction.
 *
 * @param now replaces the database's time
 * @param mostEvents that a namespace keeps
 */
export function openBatch(
  statement: Statements,
  now: Instant | undefined,
  mostEvents: number,
): Batch {
  const usages = new Map<string, Usage>();
  const events = new Map<string, number>();
  let kept: EventRow[] = [];
  let forgetting: (() => void)[] = [];
  const usageOf = (namespace: string, month: string) => {
    const key = `${month} ${namespace}`;
    const known = usages.get(key);
    if (known) return known;
    const [before] = statement.first(USAGE, namespace, month) ?? [0];
    const usage = { namespace, month, before: Number(before), more: 0 };
    usages.set(key, usage);
    return usage;
  };
  const countEvent = (namespace: string) => {
    events.set(namespace, 1 + (events.get(namespace) ?? 0));
  };
  const writeEvents = () => {
    const [rows, forget] = [kept, forgetting];
    kept = [];
    forgetting = [];
    let from = 0;
    for (const [count, sql] of SAVE) {
      for (; rows.length - from >= count; from += count) {
        statement(sql).run(rows.slice(from, from + count).flat());
      }
    }
    for (const work of forget) work();
  };
  return {
    now: now ?? Number(statement.first(NOW)?.[0]),
    usage(namespace, month) {
      const { before, more } = usageOf(namespace, month);
      return before + more;
    },
    charge(namespace, month) {
      usageOf(namespace, month).more += 1;
    },
    countEvent,
    keepEvent(namespace, row, forget) {
      kept.push(row);
      if (forget) forgetting.push(forget);
      countEvent(namespace);
    },
    writeEvents,
    flush() {
      writeEvents();
      for (const { namespace, month, more } of usages.values()) {
        if (more > 0) statement(CHARGE).run(namespace, month, more);
      }
      for (const [namespace, count] of events) {
        // Where nobody serves the database there is no housekeeping.
        statement(FORGET_OLDEST).run(namespace, mostEvents, count);
      }
    },
  };
}
