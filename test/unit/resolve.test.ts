import { describe, expect, test } from 'vitest';
import { ProfileStore } from '../../src/profiles/profile-store.ts';
import type { Project } from '../../src/profiles/project.ts';
import { type Environment, resolveSettings, resolveTarget } from '../../src/profiles/resolve.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const VENDOR = 'https://api.onceonly.tech';

async function setUp() {
  const directory = temporaryDirectory();
  const profiles = new ProfileStore({ config: directory, state: directory });
  const profileAt = (url: string, token: string) => ({
    service: 'onceonly' as const,
    url,
    credential: { type: 'bearer' as const, token, origin: new URL(url).origin },
  });
  const prod = profileAt(VENDOR, 'stored');
  const own = profileAt('https://leases.example.com/base', 'own');
  // None of them is a default.
  await profiles.addAll({ prod, own }, [], false);
  const selection = (env: Environment, flag?: string, project?: Project) => ({
    service: 'onceonly' as const,
    flag,
    env,
    profiles,
    project,
  });
  const resolve = async (...given: Parameters<typeof selection>) => {
    const { target } = await resolveTarget(selection(...given));
    if (target.type === 'local') return 'local';
    const { secret } = target;
    const shown = secret && ('given' in secret ? secret.given : secret.stored);
    return `${target.profile} ${target.url.href} ${shown}`;
  };
  return { profiles, selection, resolve };
}

describe('what a command talks to', () => {
  test.each<[Environment, string | undefined, string]>([
    [{ ONCEONLY_API_KEY: 'v' }, undefined, `ONCEONLY_API_KEY ${VENDOR}/ v`],
    [{ ONCEONLY_API_KEY: '' }, 'local', 'local'],
    [{ ONCEONLY_API_KEY: 'v' }, 'local', 'local'],
    [{ ONCEONLY_API_KEY: 'v', LEASECTL_PROFILE: 'local' }, undefined, 'local'],
    [{ LEASECTL_PROFILE: 'prod' }, undefined, `prod ${VENDOR}/ stored`],
    [{ LEASECTL_PROFILE: 'prod' }, 'own', 'own https://leases.example.com/base own'],
    [{ ONCEONLY_API_KEY: 'v' }, 'prod', `prod ${VENDOR}/ v`],
    [{ ONCEONLY_API_KEY: 'v', LEASECTL_TOKEN: 't' }, 'prod', `prod ${VENDOR}/ t`],
    [{ ONCEONLY_API_KEY: 'v' }, 'own', 'own https://leases.example.com/base own'],
    [{ LEASECTL_TOKEN: 't' }, 'own', 'own https://leases.example.com/base t'],
    [
      { LEASECTL_URL: 'https://x.example', LEASECTL_TOKEN: 't' },
      undefined,
      'LEASECTL_URL https://x.example/ t',
    ],
    [
      { LEASECTL_URL: 'https://x.example', ONCEONLY_API_KEY: 'v' },
      undefined,
      'LEASECTL_URL https://x.example/ v',
    ],
    [
      { LEASECTL_URL: 'https://leases.example.com/v2' },
      'own',
      'own https://leases.example.com/v2 own',
    ],
  ])('with %j and --profile %s: %s', async (env, flag, target) => {
    const { resolve } = await setUp();
    expect(await resolve(env, flag)).toBe(target);
  });

  test('the default profile, unless the environment names another', async () => {
    const { profiles, resolve } = await setUp();
    await profiles.use('own');
    expect(await resolve({})).toMatch(/^own /);
    expect(await resolve({ ONCEONLY_API_KEY: 'v' })).toMatch(/^own .* own$/);
    expect(await resolve({ LEASECTL_PROFILE: 'prod' })).toMatch(/^prod /);
  });

  test('the embedded service as the default, which gives way to LEASECTL_* alone', async () => {
    const { profiles, resolve } = await setUp();
    await profiles.use('local');
    expect(await resolve({})).toBe('local');
    expect(await resolve({ ONCEONLY_API_KEY: 'v' })).toBe('local');
    expect(await resolve({ LEASECTL_PROFILE: 'prod' })).toMatch(/^prod /);
    const env = { LEASECTL_URL: 'https://x.example', LEASECTL_TOKEN: 't' };
    expect(await resolve(env)).toBe('LEASECTL_URL https://x.example/ t');
    expect(await resolve(env, 'local')).toBe('local');
    await expect(resolve({ LEASECTL_TOKEN: 't' })).rejects.toMatchObject({ code: 'usage' });
  });

  test('the files of a profile, at the origin that it names and no other', async () => {
    const { profiles, selection } = await setUp();
    const files = { ca_file: '/ca', client_cert: '/cert', client_key: '/key' };
    await profiles.change('own', (profile) => ({ ...profile, ...files }));
    const filesAt = async (LEASECTL_URL?: string) => {
      const env = { LEASECTL_TOKEN: 't', ...(LEASECTL_URL ? { LEASECTL_URL } : {}) };
      return (await resolveSettings(selection(env, 'own'))).network;
    };
    const all = { caFile: '/ca', certFile: '/cert', keyFile: '/key' };
    expect(await filesAt()).toEqual(all);
    expect(await filesAt('https://leases.example.com/v2')).toEqual(all);
    expect(await filesAt('https://leases.example.com:444/base')).toEqual({});
    expect(await filesAt(VENDOR)).toEqual({});
  });

  test('no token for an address that the service’s own variable is not for, which is told', async () => {
    const { profiles, resolve } = await setUp();
    await profiles.add('bare', { service: 'onceonly', url: 'https://leases.example.com' });
    await expect(resolve({ ONCEONLY_API_KEY: 'v' }, 'bare')).rejects.toMatchObject({
      code: 'unauthorized',
      hint: expect.stringMatching(
        /^ONCEONLY_API_KEY is for https:\/\/api\.onceonly\.tech only\. Set LEASECTL_TOKEN,/,
      ),
    });
  });

  test('the profile that the project names, unless the user names another', async () => {
    const { resolve } = await setUp();
    const project = { file: '/p/.leasectl.json', profiles: { onceonly: 'own' } };
    expect(await resolve({}, undefined, project)).toMatch(/^own /);
    expect(await resolve({}, 'prod', project)).toMatch(/^prod /);
    expect(await resolve({ LEASECTL_PROFILE: 'prod' }, undefined, project)).toMatch(/^prod /);
    expect(await resolve({}, 'local', project)).toBe('local');
  });

  test('no token in the environment for a profile that only the project names', async () => {
    const { resolve } = await setUp();
    const project = { file: '/p/.leasectl.json', profiles: { onceonly: 'own' } };
    const env = { LEASECTL_TOKEN: 't' };
    await expect(resolve(env, undefined, project)).rejects.toMatchObject({
      code: 'usage',
      message: 'LEASECTL_TOKEN is set, but only /p/.leasectl.json says what it is for.',
    });
    expect(await resolve({ ...env, LEASECTL_PROFILE: 'own' }, undefined, project)).toMatch(/ t$/);
    const url = { ...env, LEASECTL_URL: 'https://x.example' };
    expect(await resolve(url, undefined, project)).toMatch(/^own https:\/\/x\.example\/ t$/);
  });

  test('the embedded service where nothing is stored, and where the project chooses it', async () => {
    const directory = temporaryDirectory();
    const profiles = new ProfileStore({ config: directory, state: directory });
    const selection = { service: 'onceonly', flag: undefined, profiles } as const;
    const none = await resolveTarget({ ...selection, env: {}, project: undefined });
    expect(none).toMatchObject({ target: { type: 'local' }, notice: undefined });
    const project = { file: '/p/.leasectl.json', profiles: { onceonly: 'local' } };
    const env = { ONCEONLY_API_KEY: 'v' };
    expect(await resolveTarget({ ...selection, env, project })).toMatchObject({
      target: { type: 'local' },
      notice: 'ONCEONLY_API_KEY is not used: /p/.leasectl.json chooses the embedded service.',
    });
  });

  test('no profile that the project names and nobody has; in CI the environment will do', async () => {
    const { resolve } = await setUp();
    const project = { file: '/p/.leasectl.json', profiles: { onceonly: 'theirs' } };
    await expect(resolve({}, undefined, project)).rejects.toMatchObject({
      code: 'usage',
      message: 'There is no profile theirs, which /p/.leasectl.json names.',
    });
    const env = { ONCEONLY_API_KEY: 'v' };
    expect(await resolve(env, undefined, project)).toBe(`ONCEONLY_API_KEY ${VENDOR}/ v`);
  });

  test.each<[Environment, string | undefined, string]>([
    [{ LEASECTL_TOKEN: 't' }, undefined, 'usage'],
    [{ LEASECTL_URL: 'https://x.example' }, undefined, 'unauthorized'],
    [{ LEASECTL_URL: 'https://x.example' }, 'own', 'unauthorized'],
    [{ LEASECTL_URL: 'https://user:pw@x.example', LEASECTL_TOKEN: 't' }, undefined, 'usage'],
    [{}, 'unknown', 'usage'],
    // Whoever has profiles does not mean this machine's disk.
    [{}, undefined, 'usage'],
    [{ LEASECTL_TOKEN: 'two words' }, 'own', 'usage'],
    // A secret that is missing in CI must not lead to the embedded service.
    [{ ONCEONLY_API_KEY: '' }, undefined, 'usage'],
    [{ LEASECTL_TOKEN: '' }, 'prod', 'usage'],
    [{ LEASECTL_URL: ' ' }, undefined, 'usage'],
    [{ LEASECTL_PROFILE: '' }, undefined, 'usage'],
  ])('nothing with %j and --profile %s: %s', async (env, flag, code) => {
    const { resolve } = await setUp();
    await expect(resolve(env, flag)).rejects.toMatchObject({ code });
  });
});
