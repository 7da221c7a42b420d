import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';

const CANARY = 'once_live_canary_44d1';
const add = (name: string, ...more: string[]) => [
  'profile',
  'add',
  name,
  '--service',
  'onceonly',
  ...more,
];

test('without configuration there is the embedded service', async () => {
  const { json } = createSandbox();
  const local = { name: 'local', service: 'all', url: null, default: true, token: 'not needed' };
  expect(await json(['profile', 'list'])).toEqual([local]);
  expect(await json(['profile', 'show', 'local'])).toEqual(local);
});

test('a profile is added, shown, chosen and removed', async () => {
  const { json, run } = createSandbox();
  const prod = {
    name: 'prod',
    service: 'onceonly',
    url: 'https://api.onceonly.tech',
    default: true,
    token: 'stored',
  };
  const dev = { ...prod, name: 'dev', url: 'http://localhost:4040', default: false, token: 'none' };
  expect(await json(add('prod', '--token-stdin'), { input: CANARY })).toEqual(prod);
  expect(await json(add('dev', '--url', 'http://localhost:4040/'))).toEqual(dev);
  expect(await json(['profile', 'list'])).toMatchObject([{ default: false }, dev, prod]);
  expect(await json(['profile', 'use', 'dev'])).toEqual({ ...dev, default: true });
  expect(await json(['profile', 'show', 'prod'])).toEqual({ ...prod, default: false });

  const twice = await run(add('prod'));
  expect(twice.code).toBe(2);
  expect(twice.stderr).toContain('There is a profile prod already.');

  const removed = await run(['profile', 'remove', 'dev']);
  expect(removed).toMatchObject({ code: 0, stdout: 'Removed dev.\n' });
  expect(removed.stderr).toContain('dev was the default of onceonly, which has none now.');
  expect((await run(['profile', 'remove', 'dev'])).code).toBe(2);
  expect((await run(['profile', 'use', 'dev'])).code).toBe(2);
  expect(await json(['profile', 'list'])).toMatchObject([{ default: true }, { name: 'prod' }]);
});

test('a token is in a file that only its owner may read, and is never shown', async () => {
  const { run, configDirectory } = createSandbox();
  const outcomes = [
    await run(add('prod', '--token-stdin'), { input: `${CANARY}\n` }),
    await run(['profile', 'list']),
    await run(['profile', 'show', 'prod', '--json']),
    await run(add('prod', '--token-stdin'), { input: CANARY, env: { LEASECTL_DEBUG: '1' } }),
    await run(add('../x', '--token-stdin'), { input: CANARY, env: { LEASECTL_DEBUG: '1' } }),
  ];
  for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toContain(CANARY);
  const directory = join(configDirectory, 'profiles');
  expect(readdirSync(directory)).toEqual(['prod.json']);
  expect(readFileSync(join(directory, 'prod.json'), 'utf8')).toContain(CANARY);
  expect(statSync(join(directory, 'prod.json')).mode & 0o777).toBe(0o600);
  expect([configDirectory, directory].map((path) => statSync(path).mode & 0o777)).toEqual([
    0o700, 0o700,
  ]);
});

test('a profile takes the place of no default that was chosen, the embedded service neither', async () => {
  const { json } = createSandbox();
  await json(['profile', 'use', 'local']);
  expect(await json(add('prod'))).toMatchObject({ default: false });
  expect(await json(['profile', 'show', 'local'])).toMatchObject({ default: true });
});

describe('20 writers at once', () => {
  test('lose no profile, tear no file, and leave one default', async () => {
    const { run, json, configDirectory } = createSandbox();
    const names = Array.from({ length: 20 }, (_, index) => `p${String(index).padStart(2, '0')}`);
    const outcomes = await Promise.all(
      names.map((name) => run(add(name, '--token-stdin'), { input: `token-of-${name}` })),
    );
    expect(outcomes.map(({ code }) => code)).toEqual(names.map(() => 0));
    const files = readdirSync(join(configDirectory, 'profiles'));
    expect(files.sort()).toEqual(names.map((name) => `${name}.json`));
    const listed = Object(await json(['profile', 'list']));
    const defaults = listed.filter((profile: { default: boolean }) => profile.default);
    expect(defaults).toHaveLength(1);
  });

  test('of one profile: one succeeds, the others are told', async () => {
    const { run, configDirectory } = createSandbox();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        run(add('same', '--token-stdin'), { input: `token-${index}` }),
      ),
    );
    const winners = outcomes.flatMap(({ code }, index) => (code === 0 ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ code }) => code === 2)).toHaveLength(19);
    const content = readFileSync(join(configDirectory, 'profiles', 'same.json'), 'utf8');
    expect(JSON.parse(content)).toMatchObject({ credential: { token: `token-${winners[0]}` } });
  });

  test('of the default leave a whole one, with readers in between', async () => {
    const { run, json, configDirectory } = createSandbox();
    for (const name of ['a', 'b']) await json(add(name, '--url', 'http://localhost:1'));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        run(index % 3 === 2 ? ['profile', 'list'] : ['profile', 'use', index % 2 ? 'a' : 'b']),
      ),
    );
    expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 0));
    expect(readdirSync(join(configDirectory, 'defaults'))).toEqual(['onceonly.json']);
  });
});
