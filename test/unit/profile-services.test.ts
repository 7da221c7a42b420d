import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { accessOn } from '../../src/engines.ts';
import { basePath, SERVICE_NAMES, SERVICES, servedBy, serves } from '../../src/profiles/profile.ts';
import { BASE_PATH } from '../../src/services/retaia/routes.ts';
import { retaiaTokenRoute } from '../../src/services/retaia/token-route.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

test('what leasectl serves is for the commands of all services, the others are for their own', () => {
  for (const name of SERVICE_NAMES) {
    expect(servedBy(name)).toEqual(name === 'leasectl' ? SERVICE_NAMES : [name]);
    expect(serves('leasectl', name)).toBe(true);
  }
  expect(serves('onceonly', 'leasectl')).toBe(false);
});

test('the paths of what leasectl serves are those of its routes', () => {
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db') });
  onTestFinished(() => store.close());
  expect(basePath('leasectl', 'retaia')).toBe(BASE_PATH);
  expect(basePath('retaia', 'retaia')).toBe('');
  expect(basePath('leasectl', 'onceonly')).toBe('');
  const tokenRoute = retaiaTokenRoute(accessOn(store));
  expect(SERVICES.leasectl.tokenPath).toBe(tokenRoute.path);
  expect(BASE_PATH + SERVICES.retaia.tokenPath).toBe(tokenRoute.path);
});
