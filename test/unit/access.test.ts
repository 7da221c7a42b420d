import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/engine/store.ts';
import { accessOn } from '../../src/engines.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

function setUp() {
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db') });
  onTestFinished(() => store.close());
  let writes = 0;
  const counting = (inner: Store): Store => ({
    ...inner,
    within: (namespace) => counting(inner.within(namespace)),
    write: (work) => {
      writes += 1;
      return inner.write(work);
    },
  });
  return { access: accessOn(counting(store)), writes: () => writes };
}

test('a client that is refused writes nothing', async () => {
  const { access, writes } = setUp();
  const client = await access.addClient('ci', ['keys:read']);
  if (!client) throw new Error('there is no client');
  const { id: clientId, secret: clientSecret } = client;
  const before = writes();
  const scopes = undefined;
  const wrong = [
    { clientId, clientSecret: 'wrong', scopes },
    { clientId: 'nobody', clientSecret, scopes },
  ];
  for (const request of wrong) {
    expect(await access.grant(request)).toEqual({ type: 'refused', reason: 'invalid_client' });
  }
  const tooMuch = await access.grant({ clientId, clientSecret, scopes: ['admin'] });
  expect(tooMuch).toEqual({ type: 'refused', reason: 'invalid_scope' });
  expect(writes()).toBe(before);
  const granted = await access.grant({ clientId, clientSecret, scopes });
  expect(granted).toMatchObject({ type: 'granted', scopes: ['keys:read'] });
  expect(writes()).toBe(before + 1);
});

test('says whether a token of its own was shown, or a client’s', async () => {
  const { access } = setUp();
  const added = await access.addToken({ name: 'ci', scopes: ['admin'], lifetime: undefined });
  const client = await access.addClient('ci', ['admin']);
  const granted = await access.grant({
    clientId: client?.id ?? '',
    clientSecret: client?.secret ?? '',
    scopes: undefined,
  });
  if (granted.type !== 'granted') throw new Error('nothing was granted');
  const who = { namespace: 'default', name: 'ci', scopes: ['admin'] };
  expect(await access.bearerOf(added?.secret ?? '')).toEqual({ ...who, kind: 'token' });
  expect(await access.bearerOf(granted.token)).toEqual({ ...who, kind: 'client' });
});
