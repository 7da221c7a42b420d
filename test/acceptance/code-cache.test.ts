import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';

/** A machine where no command ran before. */
function createFresh() {
  const sandbox = createSandbox();
  const directory = join(sandbox.directory, 'cache', 'leasectl');
  const options = { env: { XDG_CACHE_HOME: dirname(directory) } };
  const run = (...args: string[]) => sandbox.run(args, options);
  return { directory, run };
}

function onlyFile(directory: string): string {
  const files = readdirSync(directory);
  expect(files).toHaveLength(1);
  return join(directory, files[0] ?? '');
}

const commandsIn = (file: string) =>
  readFileSync(file, 'latin1').split('\n', 1)[0]?.split(' ').slice(1);

test('the code cache is its owner’s, and grows with every kind of command', async () => {
  const { directory, run } = createFresh();
  expect((await run('lease', 'k')).code).toBe(0);
  const file = onlyFile(directory);
  expect([file, directory].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o700]);
  expect(commandsIn(file)).toEqual(['lease']);
  expect((await run('status', 'k')).code).toBe(0);
  expect((await run('profile', 'list')).code).toBe(0);
  expect((await run('--version')).code).toBe(0);
  expect(commandsIn(file)).toEqual(['lease', 'status', 'profile:list', 'help']);
  const before = statSync(file).ino;
  expect((await run('status', 'k')).code).toBe(0);
  expect((await run('bogus')).code).toBe(2);
  expect(statSync(file).ino).toBe(before);
});

describe('a code cache is made anew', () => {
  test.each<[string, (content: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['cut', (content) => content.subarray(0, content.length / 2)],
    ['full of zeros', (content) => Buffer.alloc(content.length)],
    ['damaged', (content) => content.fill(0xff, 5_000, 5_020)],
  ])('that is %s', async (_, spoil) => {
    const { directory, run } = createFresh();
    await run('lease', 'k');
    const file = onlyFile(directory);
    const good = readFileSync(file);
    writeFileSync(file, spoil(Buffer.from(good)));
    expect(await run('status', 'k')).toMatchObject({ code: 0, stderr: '' });
    expect(commandsIn(onlyFile(directory))).toEqual(['status']);
  });

  test('that others could have written', async () => {
    const { directory, run } = createFresh();
    await run('lease', 'k');
    chmodSync(onlyFile(directory), 0o666);
    expect((await run('status', 'k')).code).toBe(0);
    expect(commandsIn(onlyFile(directory))).toEqual(['status']);
    expect(statSync(onlyFile(directory)).mode & 0o777).toBe(0o600);
  });

  test('of another build, which goes', async () => {
    const { directory, run } = createFresh();
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, '0123456789abcdef-v20.0.0-x64'), 'old');
    await run('lease', 'k');
    expect(commandsIn(onlyFile(directory))).toEqual(['lease']);
  });

  test('beside files that are none, which stay', async () => {
    const { directory, run } = createFresh();
    mkdirSync(directory, { recursive: true });
    const names = ['leases.db', '0123456789abcdef', '0123456789abcdef-v20.0.0-x64.db', 'notes'];
    for (const name of names) writeFileSync(join(directory, name), 'mine');
    await run('lease', 'k');
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(names));
    expect(readdirSync(directory)).toHaveLength(names.length + 1);
  });
});

test('where no cache can be kept, commands work all the same', async () => {
  const { directory, run } = createFresh();
  mkdirSync(dirname(directory), { recursive: true });
  writeFileSync(directory, 'in the way');
  expect(await run('lease', 'k')).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(directory, 'utf8')).toBe('in the way');
});
