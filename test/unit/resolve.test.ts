import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pathsOf } from '../../src/paths.ts';
import { ProfileStore } from '../../src/profiles/profile-store.ts';
import { type Environment, resolveTarget } from '../../src/profiles/resolve.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const VENDOR = 'https://api.onceonly.tech';

async function setUp() {
  const profiles = new ProfileStore(temporaryDirectory());
  const add = (name: string, url: string, token: string) =>
    profiles.add(name, {
      service: 'onceonly',
      url,
      credential: { type: 'bearer', token, origin: new URL(url).origin },
    });
  await add('prod', VENDOR, 'stored');
  await add('own', 'https://leases.example.com/base', 'own');
  const resolve = async (env: Environment, flag?: string) => {
    const target = await resolveTarget({ service: 'onceonly', flag, env, profiles });
    if (target.type === 'local') return 'local';
    return `${target.profile} ${target.url.href} ${target.token}`;
  };
  return { profiles, resolve };
}

describe('what a command talks to', () => {
  test.each<[Environment, string | undefined, string]>([
    [{}, undefined, 'local'],
    [{ ONCEONLY_API_KEY: 'v' }, undefined, `ONCEONLY_API_KEY ${VENDOR}/ v`],
    [{ ONCEONLY_API_KEY: '' }, undefined, 'local'],
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
    await profiles.setDefault('onceonly', 'own');
    expect(await resolve({})).toMatch(/^own /);
    expect(await resolve({ ONCEONLY_API_KEY: 'v' })).toMatch(/^own .* own$/);
    expect(await resolve({ LEASECTL_PROFILE: 'prod' })).toMatch(/^prod /);
  });

  test('the embedded service as the default, which gives way to LEASECTL_* alone', async () => {
    const { profiles, resolve } = await setUp();
    await profiles.setDefault('onceonly', 'local');
    expect(await resolve({})).toBe('local');
    expect(await resolve({ ONCEONLY_API_KEY: 'v' })).toBe('local');
    expect(await resolve({ LEASECTL_PROFILE: 'prod' })).toMatch(/^prod /);
    const env = { LEASECTL_URL: 'https://x.example', LEASECTL_TOKEN: 't' };
    expect(await resolve(env)).toBe('LEASECTL_URL https://x.example/ t');
    expect(await resolve(env, 'local')).toBe('local');
    await expect(resolve({ LEASECTL_TOKEN: 't' })).rejects.toMatchObject({ code: 'usage' });
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

  test('no token that a header cannot carry, also from a file', async () => {
    const { profiles, resolve } = await setUp();
    const credential = { type: 'bearer', token: 'two\nlines', origin: VENDOR } as const;
    await profiles.add('bad', { service: 'onceonly', url: VENDOR, credential });
    await expect(resolve({}, 'bad')).rejects.toMatchObject({
      code: 'usage',
      message: 'Profile bad holds no token.',
    });
  });

  test.each<[Environment, string | undefined, string]>([
    [{ LEASECTL_TOKEN: 't' }, undefined, 'usage'],
    [{ LEASECTL_URL: 'https://x.example' }, undefined, 'unauthorized'],
    [{ LEASECTL_URL: 'https://x.example' }, 'own', 'unauthorized'],
    [{ LEASECTL_URL: 'https://user:pw@x.example', LEASECTL_TOKEN: 't' }, undefined, 'usage'],
    [{}, 'unknown', 'usage'],
    [{ LEASECTL_TOKEN: 'two words' }, 'own', 'usage'],
  ])('nothing with %j and --profile %s: %s', async (env, flag, code) => {
    const { resolve } = await setUp();
    await expect(resolve(env, flag)).rejects.toMatchObject({ code });
  });
});

test('files are where XDG says, and relative places are ignored', () => {
  const home = { HOME: '/home/u' };
  expect(pathsOf(home)).toEqual({
    config: '/home/u/.config/leasectl',
    leases: '/home/u/.local/share/leasectl/leases.db',
    handles: '/home/u/.local/state/leasectl/handles.db',
    tokens: '/home/u/.local/state/leasectl/tokens',
    work: '/home/u/.local/state/leasectl/work',
    cache: '/home/u/.cache/leasectl',
  });
  expect(pathsOf({ ...home, XDG_DATA_HOME: '/d', XDG_STATE_HOME: 'relative' })).toMatchObject({
    leases: join('/d', 'leasectl', 'leases.db'),
    handles: '/home/u/.local/state/leasectl/handles.db',
  });
});
