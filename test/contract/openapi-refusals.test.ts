import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { SCOPES, type Scope } from '../../src/engine/access.ts';
import type { Store } from '../../src/engine/store.ts';
import { ENDPOINTS, openStore, startDescribed } from './openapi-service.ts';

/* What every endpoint may answer in place of what it was asked for, held against its description. */

describe('what keeps requests from their endpoints', () => {
  const scoped = ENDPOINTS.filter(({ operation }) => operation.security.length > 0);
  const scopeOf = ({ operation }: (typeof ENDPOINTS)[number]) =>
    operation.security.flatMap((way) => Object.values(way).flat())[0];

  test('is no token, or one for something else', async () => {
    const { ask, token } = await startDescribed(openStore());
    const all = await token('all', SCOPES);
    const others = new Map<Scope, string>();
    for (const scope of SCOPES) {
      const rest = SCOPES.filter((other) => other !== scope);
      others.set(scope, await token(`without ${scope}`, rest));
    }
    for (const endpoint of scoped) {
      const { operationId } = endpoint.operation;
      expect((await ask(operationId)).status).toBe(401);
      expect((await ask(operationId, { token: 'guessed' })).status).toBe(401);
      const other = others.get(SCOPES.find((scope) => scope === scopeOf(endpoint)) ?? 'admin');
      expect((await ask(operationId, { token: other })).status).toBe(403);
      expect((await ask(operationId, { token: all })).status).not.toBe(403);
    }
  });

  test('is a body that is too large', async () => {
    const { ask } = await startDescribed(openStore());
    for (const { method, operation } of ENDPOINTS) {
      if (method !== 'post') continue;
      const { status } = await ask(operation.operationId, { body: 'x'.repeat(1024 * 1024 + 1) });
      expect(status).toBe(413);
    }
  });

  test('is a database that is away', async () => {
    const fail = () => Promise.reject(new Failure('unavailable', 'The database is away.'));
    const away: Store = {
      within: () => away,
      read: fail,
      write: fail,
      sweep: fail,
      check: fail,
      close: async () => undefined,
    };
    const { ask } = await startDescribed(away);
    for (const { operation } of scoped) {
      expect((await ask(operation.operationId)).status).toBe(503);
    }
    const form = { grant_type: 'client_credentials', client_id: 'c', client_secret: 's' };
    expect((await ask('grantToken', { body: new URLSearchParams(form) })).status).toBe(503);
    expect((await ask('readiness')).status).toBe(503);
    expect((await ask('health')).status).toBe(200);
  });

  test('is that there were too many before', async () => {
    const { ask, token } = await startDescribed(openStore(), { rate: 1 });
    for (const { operation } of scoped) {
      const own = await token(operation.operationId, SCOPES);
      await ask(operation.operationId, { token: own });
      expect((await ask(operation.operationId, { token: own })).status).toBe(429);
    }
  });
});
