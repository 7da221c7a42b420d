import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SECRETS, secretsIn } from '../support/canaries.ts';
import { contentOf } from '../support/exec-host.ts';
import { commandOf, listProcesses } from '../support/processes.ts';
import { createSandbox } from '../support/sandbox.ts';

/** A message bus that hangs up on whoever comes, when it has looked at those who ask the keyring. */
async function startBus(directory: string, look: () => void): Promise<string> {
  const path = join(directory, 'bus');
  const server = createServer((socket) => {
    look();
    socket.on('error', () => undefined).destroy();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return `unix:path=${path}`;
}

test.each([
  [['--storage', 'keyring'], 2],
  [['--storage', 'file'], 0],
  [[], 2],
])('what asks the keyring shows others no secret: %j', async (flags, expected) => {
  const { directory, run } = createSandbox();
  const seen: string[] = [];
  const address = await startBus(directory, () => {
    const asking = listProcesses().filter((one) => commandOf(one).includes('dist/keyring.js'));
    for (const { pid } of asking) {
      seen.push(contentOf(`/proc/${pid}/cmdline`) ?? '', contentOf(`/proc/${pid}/environ`) ?? '');
    }
  });
  const env = {
    DBUS_SESSION_BUS_ADDRESS: address,
    LEASECTL_STORAGE: 'keyring',
    LEASECTL_DEBUG: '1,http',
    LEASECTL_TOKEN: SECRETS.bearer,
    ONCEONLY_API_KEY: SECRETS.vendor,
    ASKUI_TOKEN: SECRETS.vendor,
    HTTPS_PROXY: `http://u:${encodeURIComponent(SECRETS.proxy)}@proxy.test`,
  };
  const words = ['profile', 'add', 'p', '--service', 'onceonly', '--token-stdin', ...flags];
  const { code, stdout, stderr } = await run(words, { env, input: SECRETS.stored });
  expect(secretsIn(stdout + stderr)).toEqual([]);
  expect({ code, isAsked: seen.length > 0 }).toEqual({ code: expected, isAsked: expected === 2 });
  expect(secretsIn(seen.join('\n'))).toEqual([]);
});
