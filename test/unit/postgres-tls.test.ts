import { expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';

test('a connection is encrypted as the URL says', async () => {
  const authority = createAuthority();
  const other = createAuthority();
  const server = await startPostgres({}, authority.issue('db', 'DNS:localhost'));
  onTestFinished(() => server.remove());
  const url = await server.createDatabase();
  let names = 0;
  const opened = (parameters: string, host = 'localhost') => {
    names += 1;
    return openStore(
      `${url.replace('127.0.0.1', host)}?application_name=it_${names}&${parameters}`,
    );
  };
  const isEncrypted = async (parameters: string, host?: string) => {
    const store = opened(parameters, host);
    await store.check();
    const rows = await server.query(
      `SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
       WHERE application_name = 'it_${names}'`,
    );
    await store.close();
    return Object(rows[0]).ssl;
  };
  const own = `sslrootcert=${authority.certFile}`;
  const foreign = `sslrootcert=${other.certFile}`;
  expect(await isEncrypted('sslmode=disable')).toBe(false);
  expect(await isEncrypted('sslmode=require', '127.0.0.1')).toBe(true);
  expect(await isEncrypted(`sslmode=verify-ca&${own}`, '127.0.0.1')).toBe(true);
  expect(await isEncrypted(`sslmode=verify-full&${own}&channel_binding=require`)).toBe(true);
  for (const [parameters, host] of [
    ['sslmode=verify-full', 'localhost'],
    [`sslmode=verify-full&${own}`, '127.0.0.1'],
    [`sslmode=verify-ca&${foreign}`, '127.0.0.1'],
    [`sslmode=require&${foreign}`, '127.0.0.1'],
  ] as const) {
    await expect(opened(parameters, host).check()).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('certificate'),
    });
  }
});

test('a server without TLS is not talked to by who wants it', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.remove());
  const store = openStore(`${server.urlOf('postgres')}?sslmode=require`);
  await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
});
