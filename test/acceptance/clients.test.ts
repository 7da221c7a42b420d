import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';

const LIST = ['jobs', 'list'];

describe('a profile of another service', () => {
  test('is named, with its service and one that would do: 2', async () => {
    const { run, json } = createSandbox();
    const add = (name: string, service: string) =>
      json(['profile', 'add', name, '--service', service, '--url', 'http://localhost:1']);
    await add('keys', 'onceonly');
    const wrong = await run([...LIST, '--profile', 'keys']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Profile keys is for onceonly; this is a command for retaia.');
    expect(wrong.stderr).toContain('--profile local');
    await add('media', 'retaia');
    const known = await run(['runner-jobs', 'ping', '--profile', 'media']);
    expect(known.stderr).toContain('Profile media is for retaia; this is a command for askui.');
    const env = { LEASECTL_PROFILE: 'media' };
    const keys = await run(['status', 'k'], { env });
    expect(keys).toMatchObject({ code: 2, stderr: expect.stringContaining('--profile keys') });
    const jobs = await run([...LIST, '--profile', 'keys']);
    expect(jobs.stderr).toContain('--profile media');
  });
});

describe('admin clients add', () => {
  test('tells a secret once, and keeps a digest of it', async () => {
    const { json, run, databaseFile } = createSandbox();
    const add = ['admin', 'clients', 'add', 'agent', '--scope', 'jobs:submit,jobs:claim'];
    const client = Object(await json(add));
    expect(client).toEqual({
      client_id: expect.stringMatching(/^client_[0-9a-f]{16}$/),
      client_secret: expect.stringMatching(/^secret_[\w-]{43}$/),
      name: 'agent',
      scope: 'jobs:claim jobs:submit',
    });
    expect((await run(add)).code).toBe(7);
    const files = [databaseFile, `${databaseFile}-wal`].filter(existsSync);
    for (const file of files) {
      expect(readFileSync(file).includes(client.client_secret)).toBe(false);
    }
  });

  test.each([
    [['x']],
    [['x', '--scope', '']],
    [['x', '--scope', 'jobs:fly']],
    [['two words', '--scope', 'jobs:claim']],
  ])('refuses %j', async (args) => {
    const { run } = createSandbox();
    expect((await run(['admin', 'clients', 'add', ...args])).code).toBe(2);
  });
});
