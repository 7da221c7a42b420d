import { afterAll, expect, test } from 'vitest';
import { startPostgres } from '../support/postgres.ts';
import { schemaOf } from '../support/postgres-schema.ts';
import { openStore } from '../support/postgres-stores.ts';
import { leaseOf } from '../support/store-suite.ts';

const server = await startPostgres();
afterAll(() => server.remove());

test('ten that start at once migrate once', async () => {
  const url = await server.createDatabase();
  const stores = Array.from({ length: 10 }, () => openStore(url, { connections: 2 }));
  await Promise.all(stores.map((store) => store.check()));
  expect(await server.query('SELECT number FROM leasectl.migrations', url)).toEqual([
    { number: 1 },
    { number: 2 },
    { number: 3 },
    { number: 4 },
  ]);
  await stores[0]?.write((transaction) => transaction.save(leaseOf('k')));
  expect(await stores[9]?.read((view) => view.stored())).toBe(1);
});

test('the database has the reviewed schema', async () => {
  const url = await server.createDatabase();
  await openStore(url).check();
  await expect(await schemaOf(server, url)).toMatchFileSnapshot('../support/postgres-schema.sql');
});

test('what others keep in the database stays as it is', async () => {
  const url = await server.createDatabase();
  await server.query('CREATE TABLE leases (a int); INSERT INTO leases VALUES (1)', url);
  await openStore(url).write((transaction) => transaction.save(leaseOf('k')));
  expect(await server.query('SELECT * FROM leases', url)).toEqual([{ a: 1 }]);
});

test('a database of a newer version is refused and not touched', async () => {
  const url = await server.createDatabase();
  const store = openStore(url);
  await store.check();
  await server.query('INSERT INTO leasectl.migrations (number) VALUES (99)', url);
  const failure = { code: 'usage', message: expect.stringMatching(/newer leasectl \(schema 99;/) };
  await expect(openStore(url).check()).rejects.toMatchObject(failure);
  // Who is at work already works on, while the nodes are replaced one after the other.
  await store.write((transaction) => transaction.save(leaseOf('k')));
});

test('a database that lacks characters is refused', async () => {
  await server.query(
    `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0
     LOCALE 'C' LOCALE_PROVIDER 'libc'`,
  );
  await expect(openStore(server.urlOf('latin')).check()).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('LATIN1'),
  });
});

test('a user who may make nothing is told what it takes', async () => {
  const url = new URL(await server.createDatabase());
  await server.query(`CREATE USER guest PASSWORD 'guest'`);
  url.username = url.password = 'guest';
  await expect(openStore(url.href).check()).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('42501'),
  });
});

test('a user to whom the schema belongs needs no other right', async () => {
  const url = new URL(await server.createDatabase());
  await server.query(`CREATE USER tenant PASSWORD 'tenant'`);
  await server.query('CREATE SCHEMA leasectl AUTHORIZATION tenant', url.href);
  url.username = url.password = 'tenant';
  const store = openStore(url.href);
  await store.write((transaction) => transaction.save(leaseOf('k')));
  expect(await store.read((view) => view.stored())).toBe(1);
});

test('a database that is older again is missed', async () => {
  const url = await server.createDatabase();
  const store = openStore(url);
  await store.check();
  await server.query('DELETE FROM leasectl.migrations', url);
  await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
});

test('a schema that is gone is missed, and made anew only by who starts', async () => {
  const url = await server.createDatabase();
  const store = openStore(url);
  await store.write((transaction) => transaction.save(leaseOf('k')));
  await server.query('DROP SCHEMA leasectl CASCADE', url);
  await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(store.read((view) => view.find('key', 'k'))).rejects.toMatchObject({
    code: 'unavailable',
  });
  await openStore(url).check();
  await expect(store.check()).resolves.toBeUndefined();
});
