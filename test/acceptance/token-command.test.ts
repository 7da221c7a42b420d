import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bearer } from '../support/hosted-answers.ts';
import { BIN, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

const LEASECTL = `'${process.execPath}' '${BIN}'`;

function addProfile({ json }: Sandbox, name: string, url: string, command: string) {
  const profile = ['profile', 'add', name, '--service', 'onceonly', '--url', url];
  return json([...profile, '--token-command', command]);
}

describe('leasectl in a token command', () => {
  test('talks to what the user chose', async () => {
    const sandbox = createSandbox();
    const stub = await startStub({ status: 200, body: {} });
    const token = 'echo "canary-$LEASECTL_TOKEN_FOR-$LEASECTL_PROFILE"';
    const command = `${LEASECTL} exec vault -- sh -c '${token}'`;
    await addProfile(sandbox, 'prod', stub.url, command);
    await sandbox.json(['profile', 'use', 'local']);
    await sandbox.json(['api', 'GET', '/x', '--profile', 'prod']);
    expect(stub.seen).toMatchObject([bearer('canary-prod-local')]);
  });

  test('may need the token of another profile', async () => {
    const sandbox = createSandbox();
    const [vault, prod] = await Promise.all(
      [{ token: 'canary-2' }, {}].map((body) => startStub({ status: 200, body })),
    );
    await addProfile(sandbox, 'vault', String(vault?.url), 'echo canary-1');
    const command = `${LEASECTL} api GET /token --profile vault --field token`;
    await addProfile(sandbox, 'prod', String(prod?.url), command);
    await sandbox.json(['api', 'GET', '/x', '--profile', 'prod']);
    expect(vault?.seen).toMatchObject([bearer('canary-1')]);
    expect(prod?.seen).toMatchObject([bearer('canary-2')]);
  });

  test.each([
    [['a'], '2: Hint: A leasectl in it needs that very token'],
    [['a', 'b'], '4: '],
  ])('is refused the token that the command is to print, by way of %j', async (names, inner) => {
    const sandbox = createSandbox();
    const { url } = await startStub();
    const runs = join(sandbox.directory, 'runs');
    for (const [index, name] of names.entries()) {
      const next = names[(index + 1) % names.length];
      const call = `${LEASECTL} api GET /nested --profile ${next}`;
      // Would end by itself, some time.
      const isEnough = `[ $(wc -l <'${runs}') -gt 8 ]`;
      await addProfile(sandbox, name, url, `echo ran >>'${runs}'; ${isEnough} || ${call}`);
    }
    const { code, stderr } = await sandbox.run(['api', 'GET', '/x', '--profile', 'a']);
    expect(code).toBe(4);
    expect(stderr).toContain(`The token command of profile a failed with exit code ${inner}`);
    expect(readFileSync(runs, 'utf8')).toBe('ran\n'.repeat(names.length));
  });
});
