import { afterAll, onTestFinished } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { startPostgres } from '../support/postgres.ts';
import { recordsSuite } from '../support/records-suite.ts';
import { storeSuite } from '../support/store-suite.ts';
import { sweepSuite } from '../support/sweep-suite.ts';
import { workSuite } from '../support/work-suite.ts';

const server = await startPostgres();
afterAll(() => server.remove());

const openTwice = async (clock?: Clock) => {
  const url = await server.createDatabase();
  const [store, other] = [1, 2].map(() => openPostgresStore({ url, env: {}, clock }));
  if (!store || !other) throw new Error('there are two');
  onTestFinished(async () => {
    await Promise.all([store.close(), other.close()]);
  });
  return { store, other };
};
storeSuite('the PostgreSQL store', openTwice);
workSuite('the PostgreSQL store', openTwice);
recordsSuite('the PostgreSQL store', openTwice);
sweepSuite('the PostgreSQL store', openTwice);
