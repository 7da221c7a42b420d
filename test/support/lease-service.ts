import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { serve } from '@hono/node-server';
import { createEngine } from '../../src/engine/engine.ts';
import { createApp } from '../../src/server/app.ts';
import { askUiRoutes } from '../../src/services/askui/routes.ts';
import { onceOnlyRoutes } from '../../src/services/onceonly/routes.ts';
import { retaiaRoutes } from '../../src/services/retaia/routes.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

/*
 * A process that serves the embedded service, all dialects of it, to whoever asks; to be killed, and
 * started again on the same file and port. It prints its port as soon as it listens.
 */

const [file = '', port = '0'] = process.argv.slice(2);
const engine = createEngine({
  store: openSqliteStore({ file }),
  newHandle: (kind) => `${kind}_${randomBytes(16).toString('hex')}`,
  monthlyLimit: 1_000_000_000,
});
const routes = [...onceOnlyRoutes(engine), ...retaiaRoutes(engine), ...askUiRoutes(engine)];
const app = createApp({ routesFor: () => routes });
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(port) }, (address) => {
  writeSync(1, `${address.port}\n`);
});
