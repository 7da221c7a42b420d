/*
 * What a database gives, taken for what was written there. Each command reads some row, and each request one
 * more: zod takes longer to make a schema of a row, and to check one by it, than SQLite to find it.
 */

/** Takes a value for what its column holds. @throws Error when it is nothing of the kind */
export type Column<T> = (value: unknown) => T;

export const text: Column<string> = (value) => {
  if (typeof value === 'string') return value;
  throw unlike('text', value);
};

export const integer: Column<number> = (value) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw unlike('integer', value);
};

/** @param column of what stands there where there is something */
export function orNull<T>(column: Column<T>): Column<T | null> {
  return (value) => (value === null ? null : column(value));
}

/** @param names the only texts of the column */
export function oneOf<const T extends string>(names: readonly T[]): Column<T> {
  return (value) => {
    const found = names.find((name) => name === value);
    if (found !== undefined) return found;
    throw unlike(`one of ${names.join(', ')}`, value);
  };
}

/** Rows with these columns, by their names; others are left out. */
export function rowOf<C extends Readonly<Record<string, Column<unknown>>>>(
  columns: C,
): Column<{ readonly [Name in keyof C]: ReturnType<C[Name]> }> {
  const known = Object.entries(columns);
  return (row) => {
    const given = Object(row);
    const taken = Object({});
    for (const [name, column] of known) taken[name] = column(given[name]);
    return taken;
  };
}

function unlike(what: string, value: unknown): Error {
  return new Error(`a stored value is no ${what}, but ${value === null ? 'null' : typeof value}`);
}
