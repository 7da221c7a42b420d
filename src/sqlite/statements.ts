import type Database from 'libsql';

/** The statements of a connection, by their texts. */
export interface Statements {
  (sql: string): Database.Statement;
  /**
   * The first row, as values in the order of the columns; undefined where there is none. For what is
   * asked all the time: to make an object of a row takes longer than to find it.
   */
  first(sql: string, ...parameters: unknown[]): readonly unknown[] | undefined;
  /** Lets go of them, so that the connection can be closed. */
  forget(): void;
}

/**
 * Prepares each statement of a connection once: that takes five times as long as to run it.
 *
 * The texts must be constants, or few.
 */
export function statementsOf(db: Database.Database): Statements {
  const prepared = new Map<string, Database.Statement>();
  const rows = new Map<string, Database.Statement>();
  const statement = (sql: string) => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  const first = (sql: string, ...parameters: unknown[]) => {
    const known = rows.get(sql) ?? db.prepare(sql).raw();
    rows.set(sql, known);
    const row: unknown = known.get(parameters);
    return Array.isArray(row) ? row : undefined;
  };
  const forget = () => {
    prepared.clear();
    rows.clear();
  };
  return Object.assign(statement, { first, forget });
}
