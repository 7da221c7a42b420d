import * as z from 'zod/mini';
import { Failure } from '../../domain/failure.ts';
import type { Transaction } from '../../engine/store.ts';
import { EVENT_COLUMNS, toEvent } from '../event-row.ts';
import type { Session } from './session.ts';
import { tellable } from './tail-order.ts';

/*
 * A transaction that is still open may have lower sequences than others that are not. So what is told is
 * what belongs to transactions before the oldest one that is open: of those none is missing any more.
 * An open one is not waited for while it has none of our tables in use, as all have that write to them:
 * whoever else works on the same server may take hours. What was open when this snapshot was made, and is
 * not any more when the locks are read, is waited for until the next look.
 */
const HORIZON = `WITH locks AS MATERIALIZED (
    SELECT virtualtransaction, locktype, transactionid, database, relation FROM pg_locks WHERE granted
  ), ours AS MATERIALIZED (
    SELECT DISTINCT virtualtransaction FROM locks WHERE locktype = 'relation'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'leasectl'::regnamespace)
  )
  SELECT coalesce((
    SELECT open FROM pg_snapshot_xip(pg_current_snapshot()) AS open
    WHERE NOT EXISTS (SELECT FROM locks
      WHERE locktype = 'transactionid' AND transactionid = open::xid
        AND virtualtransaction NOT IN (SELECT virtualtransaction FROM ours))
    ORDER BY open LIMIT 1), pg_snapshot_xmax(pg_current_snapshot()))::text AS horizon`;
/** Behind all transactions that there are. */
const END = 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS horizon';
const TAIL = `SELECT sequence, ${EVENT_COLUMNS.join(', ')}, transaction::text AS transaction,
    transaction < pg_snapshot_xmin(pg_current_snapshot()) AS is_settled FROM leasectl.events
  WHERE namespace = $1 AND (transaction, sequence) > ($2::xid8, $3)
  ORDER BY leasectl.events.transaction, sequence LIMIT $4`;
/** Events that are looked at beyond those that are told: what came between two of a lease. */
const AHEAD = 500;

const Number8 = z.string().check(z.regex(/^\d+$/));
const Horizon = z.tuple([z.object({ horizon: Number8 })]);
const Place = z.looseObject({
  ...{ kind: z.string(), id: z.string(), type: z.string() },
  ...{ transaction: Number8, sequence: z.int(), is_settled: z.boolean() },
});

/** The part of a transaction that tells what happens. */
export function bindTail(session: Session, namespace: string): Pick<Transaction, 'tail'> {
  const horizonBy = async (sql: string) => {
    const [{ horizon }] = Horizon.parse(await session.rows(sql));
    return BigInt(horizon);
  };
  return {
    async tail(after, limit) {
      if (after === undefined) return { events: [], cursor: `${await horizonBy(HORIZON)}:0` };
      const [transaction, sequence] = placeIn(after);
      const rows = await session.rows(TAIL, namespace, transaction, sequence, limit + AHEAD);
      if (rows.length === 0 && BigInt(transaction) > (await horizonBy(END))) throw noPlace(after);
      let places = rows.map((row) => Place.parse(row));
      if (places.some(({ is_settled }) => !is_settled)) {
        const horizon = await horizonBy(HORIZON);
        const isSettled = (place: z.infer<typeof Place>) => BigInt(place.transaction) < horizon;
        places = places.map((place) => ({ ...place, is_settled: isSettled(place) }));
      }
      const count = tellable(places, limit);
      const last = places[count - 1];
      const events = rows.slice(0, count).map(toEvent);
      return {
        events: events.toSorted((one, other) => one.sequence - other.sequence),
        cursor: last ? `${last.transaction}:${last.sequence}` : after,
      };
    },
  };
}

/** @throws Failure `invalid_request` for what is no cursor of this database */
function placeIn(cursor: string): [transaction: string, sequence: number] {
  const [, transaction, sequence] = /^(\d{1,19}):(\d{1,15})$/.exec(cursor) ?? [];
  if (transaction !== undefined) return [transaction, Number(sequence)];
  throw noPlace(cursor);
}

function noPlace(cursor: string): Failure {
  return new Failure('invalid_request', `${JSON.stringify(cursor)} is no place in this history.`, {
    hint: 'Begin anew, without it. Was the database replaced by another one?',
  });
}
