/*
 * What benchmarks of many leases take of the project: it is bundled for them.
 */
export { openLedger } from '../../../src/ledger/ledger.ts';
export { SWEEPING } from '../../../src/server/sweeper.ts';
export { openPostgresStore } from '../../../src/store/postgres/postgres-store.ts';
export { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
export { startPostgres } from '../postgres.ts';
export { growPostgres, growSqlite } from './grow.ts';
