import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAccess } from '../../src/engine/access.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createApp } from '../../src/server/app.ts';
import { retaiaRoutes } from '../../src/services/retaia/routes.ts';
import { retaiaTokenRoute } from '../../src/services/retaia/token-route.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { bearer } from '../support/hosted-answers.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

const SECRET = 'canary-client-secret-19';
const ok = (body: unknown): Reply => ({ status: 200, body });
const token = (access_token: string, expires_in = 3600): Reply =>
  ok({ access_token, token_type: 'Bearer', expires_in });
const LIST = ['jobs', 'list'];

function addClient({ run }: Sandbox, url: string, ...flags: string[]) {
  const credential = ['--client-id', 'agent-7', '--client-secret-stdin', ...flags];
  const args = ['profile', 'add', 'media', '--service', 'retaia', '--url', url, ...credential];
  return run(args, { input: SECRET });
}

async function withServer(...replies: Reply[]) {
  const stub = await startStub(...replies);
  const sandbox = createSandbox();
  expect((await addClient(sandbox, `${stub.url}/api/v1`)).code).toBe(0);
  return { ...sandbox, seen: stub.seen };
}

describe('a profile with an OAuth 2.0 client', () => {
  test('gets a token once, keeps it for later commands, and never shows it', async () => {
    const server = await withServer(token('canary-access-1'), ok([]), ok([]));
    const { run, seen, directory } = server;
    const outcomes = [
      await run(LIST, { env: { LEASECTL_DEBUG: '1' } }),
      await run(LIST),
      await run(['profile', 'show', 'media', '--json']),
    ];
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toMatch(/canary/);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/api/v1/oauth/token' });
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'agent-7',
      client_secret: SECRET,
    });
    expect(seen.slice(1)).toMatchObject([bearer('canary-access-1'), bearer('canary-access-1')]);
    const tokens = join(directory, 'state', 'leasectl', 'tokens');
    expect(statSync(tokens).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(tokens)) {
      expect(statSync(join(tokens, file)).mode & 0o777).toBe(0o600);
    }
    await run(['profile', 'remove', 'media', '--yes']);
    expect(readdirSync(tokens)).toEqual([]);
  });

  test('gets another token once when the service refuses the first: 401', async () => {
    const refused: Reply = { status: 401, body: { code: 'UNAUTHORIZED', message: 'No.' } };
    const { run, seen } = await withServer(
      token('canary-1'),
      refused,
      token('canary-2'),
      ok([]),
      ok([]),
      refused,
      token('canary-3'),
      refused,
    );
    expect((await run(LIST)).code).toBe(0);
    expect((await run(LIST)).code).toBe(0);
    expect((await run(LIST)).code).toBe(4);
    expect(seen[3]).toMatchObject(bearer('canary-2'));
  });

  test('that the token endpoint refuses: 4, and what to do', async () => {
    const { run } = await withServer({ status: 401, body: { error: 'invalid_client' } });
    const { code, stderr } = await run(LIST);
    expect(code).toBe(4);
    expect(stderr).toMatch(/client id or secret was refused \(invalid_client\)/);
    expect(stderr).not.toContain(SECRET);
  });

  test('sends neither secret nor token to another origin', async () => {
    const other = await startStub();
    const { run } = await withServer();
    const { code } = await run(LIST, {
      env: { LEASECTL_URL: `${other.url}/api/v1`, LEASECTL_PROFILE: 'media' },
    });
    expect(code).toBe(4);
  });

  test('gives way to a token in the environment', async () => {
    const { run, seen } = await withServer(ok([]));
    expect((await run(LIST, { env: { LEASECTL_TOKEN: 'mine' } })).code).toBe(0);
    expect(seen[0]).toMatchObject(bearer('mine'));
  });

  test('may have a token endpoint elsewhere, and a scope', async () => {
    const login = await startStub(token('canary-1'));
    const jobs = await startStub(ok([]));
    const sandbox = createSandbox();
    const tokenUrl = `${login.url}/o/token/`;
    const flags = ['--token-url', tokenUrl, '--scope', 'jobs:claim jobs:submit'];
    await addClient(sandbox, jobs.url, ...flags);
    expect((await sandbox.run(LIST)).code).toBe(0);
    expect(login.seen[0]?.url).toBe('/o/token/');
    expect(new URLSearchParams(login.seen[0]?.body).get('scope')).toBe('jobs:claim jobs:submit');
  });

  test('tells its secret to nobody unencrypted, but on this machine', async () => {
    const sandbox = createSandbox();
    const refused = await addClient(sandbox, 'http://media.invalid/api/v1');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('nothing is sent to http://media.invalid unencrypted');
    const elsewhere = ['--token-url', 'http://login.invalid/token'];
    const url = 'https://media.invalid/api/v1';
    expect((await addClient(sandbox, url, ...elsewhere)).code).toBe(2);
    // What a file says is looked at again.
    await addClient(sandbox, url);
    const file = join(sandbox.configDirectory, 'profiles', 'media.json');
    const profile = readFileSync(file, 'utf8');
    writeFileSync(file, profile.replace(`"${url}/oauth`, '"http://media.invalid/oauth'));
    const { code, stderr } = await sandbox.run(LIST);
    expect(code).toBe(2);
    expect(stderr).toContain('never sent to http://media.invalid unencrypted');
  });

  test('keeps its secret in a file of its owner only', async () => {
    const sandbox = createSandbox();
    await addClient(sandbox, 'https://media.invalid/api/v1');
    const file = join(sandbox.configDirectory, 'profiles', 'media.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      url: 'https://media.invalid/api/v1',
      credential: {
        type: 'oauth2',
        client_id: 'agent-7',
        token_url: 'https://media.invalid/api/v1/oauth/token',
        origin: 'https://media.invalid',
      },
    });
  });

  test.each([
    [['--service', 'retaia', '--client-id', 'x']],
    [['--service', 'retaia', '--url', 'http://localhost', '--client-id', 'x']],
    [['--service', 'retaia', '--url', 'http://localhost', '--client-secret-stdin']],
    [['--service', 'retaia', '--url', 'http://localhost', '--auth', 'basic']],
    [['--service', 'onceonly', '--auth', 'basic', '--token-stdin']],
    [['--service', 'onceonly', '--client-id', 'x', '--client-secret-stdin']],
  ])('is not added with %j', async (flags) => {
    const { run, configDirectory } = createSandbox();
    expect((await run(['profile', 'add', 'p', ...flags], { input: SECRET })).code).toBe(2);
    expect(existsSync(join(configDirectory, 'profiles'))).toBe(false);
  });
});

describe('what was got with a credential goes with it', () => {
  const TOKENS = ['state', 'leasectl', 'tokens'];

  /** A profile with an access token, and how many of them are kept. */
  async function withToken(secret: readonly string[], env: Readonly<Record<string, string>>) {
    const sandbox = createSandbox();
    const { url } = await startLastingStub((request, response) => {
      const isToken = request.method === 'POST';
      const body = { access_token: 'canary-1', token_type: 'Bearer', expires_in: 3600 };
      response.end(JSON.stringify(isToken ? body : []));
    });
    const run = (...args: string[]) => sandbox.json(args, { env, input: SECRET });
    const client = ['--client-id', 'agent-7', ...secret];
    const add = (name: string) =>
      run('profile', 'add', name, '--service', 'retaia', '--url', url, ...client);
    await add('media');
    const kept = () => {
      const files = readdirSync(join(sandbox.directory, ...TOKENS));
      return files.filter((file) => file.endsWith('.db')).length;
    };
    const list = async (name = 'media') => {
      await run(...LIST, '--profile', name);
      return kept();
    };
    return { ...sandbox, url, run, add, list, kept };
  }

  const sources: readonly (readonly [string, readonly string[]])[] = [
    ['file', ['--client-secret-stdin']],
    ['keyring', ['--client-secret-stdin', '--storage', 'keyring']],
    // It prints another secret each time.
    ['command', ['--client-secret-command', 'date +%s%N']],
  ];

  describe.each(sources)('with the secret of a %s', (source, secret) => {
    const isSkipped = source === 'keyring' && canSkipKeyring;
    const envOf = async () => (source === 'keyring' ? (await startMessageBus()).env : {});

    test.skipIf(isSkipped)('by profile edit, and by profile remove after it', async () => {
      const { run, list, kept, url } = await withToken(secret, await envOf());
      const edits = [
        ['--scope', 'jobs:claim'],
        ['--client-id', 'agent-8'],
        ['--token-url', `${url}/elsewhere`],
        ['--no-scope'],
      ];
      expect(await list()).toBe(1);
      for (const flags of edits) {
        await run('profile', 'edit', 'media', ...flags);
        expect({ flags, kept: kept() }).toEqual({ flags, kept: 0 });
        expect(await list()).toBe(1);
      }
      await run('profile', 'edit', 'media', '--url', `${url}/api/v2`);
      expect(kept()).toBe(1);
      await run('profile', 'remove', 'media', '--yes');
      expect(kept()).toBe(0);
    });
  });

  test('unless another profile has the same', async () => {
    const { run, add, list, kept } = await withToken(['--client-secret-stdin'], {});
    await add('same');
    expect(await list('same')).toBe(1);
    await run('profile', 'edit', 'media', '--scope', 'jobs:claim');
    expect(kept()).toBe(1);
    await run('profile', 'remove', 'media', '--yes');
    expect(kept()).toBe(1);
    await run('profile', 'remove', 'same', '--yes');
    expect(kept()).toBe(0);
  });

  test('without running the command that prints the secret', async () => {
    const sandbox = createSandbox();
    const file = join(sandbox.directory, 'ran');
    const client = ['--client-id', 'x', '--client-secret-command', `touch '${file}'; echo s3cret`];
    const url = 'http://localhost:1/api/v1';
    await sandbox.json(['profile', 'add', 'p', '--service', 'retaia', '--url', url, ...client]);
    await sandbox.json(['profile', 'edit', 'p', '--scope', 'jobs:claim']);
    await sandbox.json(['profile', 'remove', 'p', '--yes']);
    expect(existsSync(file)).toBe(false);
  });
});

test('a base URL that is probably wrong is stored with a warning', async () => {
  const sandbox = createSandbox();
  const { code, stderr } = await addClient(sandbox, 'https://media.invalid');
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('usually ends in /api/v1'),
  });
});

test('the embedded service on a socket: who may claim only, may not submit', async () => {
  const sandbox = createSandbox();
  const { json, run } = sandbox;
  const add = ['admin', 'clients', 'add', 'claimer', '--scope', 'jobs:claim'];
  const client = Object(await json(add));
  const [job] = Object(await json(['admin', 'jobs', 'add', '--type', 't']));
  const url = await serveDatabase(sandbox.databaseFile);
  const credential = ['--client-id', client.client_id, '--client-secret-stdin'];
  await run(['profile', 'add', 'own', '--service', 'retaia', '--url', url, ...credential], {
    input: client.client_secret,
  });
  const claimed = await json(['jobs', 'claim', job.job_id]);
  expect(claimed).toMatchObject({ claimed_by: 'claimer' });
  const refused = await run(['jobs', 'heartbeat', job.job_id]);
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('FORBIDDEN_SCOPE');
});

/** Serves a sandbox's database, with access control, and tells the base URL. */
async function serveDatabase(file: string): Promise<string> {
  const store = openSqliteStore({ file });
  const newSecret = () => randomBytes(32).toString('hex');
  const hash = (secret: string) => createHash('sha256').update(secret).digest('hex');
  const access = createAccess({ store, namespace: 'default', newSecret, hash });
  const engine = createEngine({ store, newHandle: newSecret, monthlyLimit: 10 });
  const routes = [...retaiaRoutes(engine), retaiaTokenRoute(access)];
  const app = createApp({ routesFor: () => routes, access });
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}/api/v1`),
    );
    onTestFinished(async () => {
      server.close();
      await store.close();
    });
  });
}
