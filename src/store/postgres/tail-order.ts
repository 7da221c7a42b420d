/** An event's place in the history, and whether all before it are known. */
export interface Placed {
  readonly kind: string;
  readonly id: string;
  readonly type: string;
  readonly sequence: number;
  /** Whether its transaction is older than all that are open. */
  readonly is_settled: boolean;
}

/**
 * How many events may be told now. Sequences of one lease are in the order of its changes, as its row is
 * locked meanwhile. Transactions are not, where several wait for a row: they get their numbers before
 * they get that. So an event is kept back while another one that is to be told before it is not settled.
 *
 * @param rows in the order of their transactions, with some beyond the limit
 */
export function tellable(rows: readonly Placed[], limit: number): number {
  const unsettled = rows.findIndex(({ is_settled }) => !is_settled);
  let count = Math.min(limit, unsettled < 0 ? rows.length : unsettled);
  const first = new Map<string, number>();
  const keepBack = (kept: readonly Placed[]) => {
    for (const row of kept.filter(isInTurn)) {
      const lease = leaseOf(row);
      first.set(lease, Math.min(row.sequence, first.get(lease) ?? row.sequence));
    }
  };
  keepBack(rows.slice(count));
  for (;;) {
    const tooEarly = rows
      .slice(0, count)
      .findIndex((row) => isInTurn(row) && row.sequence > (first.get(leaseOf(row)) ?? Infinity));
    if (tooEarly < 0) return count;
    keepBack(rows.slice(tooEarly, count));
    count = tooEarly;
  }
}

/** Who is refused need not have had the row. */
function isInTurn({ type }: Placed): boolean {
  return type !== 'refused';
}

function leaseOf({ kind, id }: Placed): string {
  return `${kind}:${id}`;
}
