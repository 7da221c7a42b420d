import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';
import { startLastingStub } from '../support/stub-server.ts';

const OTHER_BUILD = '0123456789abcdef';

/** A machine where no command ran before. */
function createFresh() {
  const sandbox = createSandbox();
  const directory = join(sandbox.directory, 'cache', 'leasectl');
  const env = { XDG_CACHE_HOME: dirname(directory) };
  const run = (...args: string[]) => sandbox.run(args, { env });
  return { sandbox, directory, env, run };
}

/** The only cache of a command, of this build. */
function cacheOf(directory: string, command: string): string {
  const files = readdirSync(directory).filter(
    (name) => name.endsWith(`-${command}`) && !name.startsWith(OTHER_BUILD),
  );
  expect(files).toHaveLength(1);
  return join(directory, files[0] ?? '');
}

/** Changes with the file. */
const versionOf = (file: string) => statSync(file).ino;

test('each command has a code cache, which is its owner’s', async () => {
  const { directory, run } = createFresh();
  expect((await run('lease', 'k')).code).toBe(0);
  const file = cacheOf(directory, 'lease');
  expect([file, directory].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o700]);
  for (const args of [['status', 'k'], ['profile', 'list'], ['--version'], ['jobs']]) {
    expect((await run(...args)).code).toBe(0);
  }
  expect((await run('status', '--help')).code).toBe(0);
  expect((await run('bogus')).code).toBe(2);
  const commands = readdirSync(directory).map((name) => name.replace(/^\w+-v[\d.]+-\w+-/, ''));
  // What is used rarely is in a script of its own.
  const rest = ['help-rest', 'profile.list-rest'];
  expect(commands.sort()).toEqual(
    [...rest, 'help', 'lease', 'profile.list', 'status', 'version'].sort(),
  );
  const before = versionOf(file);
  expect((await run('lease', 'other')).code).toBe(0);
  expect(versionOf(file)).toBe(before);
});

test('it grows when the command uses more, and keeps what it has', async () => {
  const { directory, run } = createFresh();
  expect((await run('status', 'k')).code).toBe(3);
  const file = cacheOf(directory, 'status');
  const { size } = statSync(file);
  expect((await run('lease', 'k')).code).toBe(0);
  expect((await run('status', 'k')).code).toBe(0);
  expect(statSync(file).size).toBeGreaterThan(size);
  const before = versionOf(file);
  expect((await run('status', 'k')).code).toBe(0);
  expect((await run('status', 'other')).code).toBe(3);
  expect(versionOf(file)).toBe(before);
});

test('who has a service elsewhere has another one', async () => {
  const { sandbox, directory, env, run } = createFresh();
  const service = await startLastingStub({
    status: 404,
    body: { detail: { error: 'not_found', message: 'No.' } },
  });
  const far = { ...env, LEASECTL_URL: service.url, LEASECTL_TOKEN: 'token-of-a-test' };
  expect((await run('status', 'k')).code).toBe(3);
  const before = versionOf(cacheOf(directory, 'status'));
  expect((await sandbox.run(['status', 'k'], { env: far })).code).toBe(3);
  expect(readFileSync(cacheOf(directory, 'status-far'))).not.toHaveLength(0);
  expect(versionOf(cacheOf(directory, 'status'))).toBe(before);
});

describe('a code cache is made anew', () => {
  test.each<[string, (content: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['cut', (content) => content.subarray(0, content.length / 2)],
    ['cut at an odd place', (content) => content.subarray(0, content.length - 1)],
    ['full of zeros', (content) => Buffer.alloc(content.length)],
    ['half of zeros', (content) => content.fill(0, content.length / 2)],
    ['damaged', (content) => content.fill(0xff, 5_000, 5_020)],
    ['damaged at its end', (content) => content.fill(0xff, content.length - 20)],
  ])('that is %s', async (_, spoil) => {
    const { directory, run } = createFresh();
    await run('lease', 'k');
    const file = cacheOf(directory, 'lease');
    const good = readFileSync(file);
    writeFileSync(file, spoil(Buffer.from(good)));
    const before = versionOf(file);
    expect(await run('lease', 'other')).toMatchObject({ code: 0, stderr: '' });
    expect(versionOf(cacheOf(directory, 'lease'))).not.toBe(before);
    expect(readFileSync(file).length).toBeGreaterThan(good.length * 0.9);
  });

  test('that others could have written', async () => {
    const { directory, run } = createFresh();
    await run('lease', 'k');
    chmodSync(cacheOf(directory, 'lease'), 0o666);
    expect((await run('lease', 'other')).code).toBe(0);
    expect(statSync(cacheOf(directory, 'lease')).mode & 0o777).toBe(0o600);
  });

  test('of another build, which goes when nobody has read it for a week', async () => {
    const { directory, run } = createFresh();
    mkdirSync(directory, { recursive: true });
    const write = (end: string, days: number) => {
      const file = join(directory, `${OTHER_BUILD}-v20.0.0-x64${end}`);
      writeFileSync(file, 'old');
      utimesSync(file, Date.now() / 1000 - days * 24 * 3600, 1);
      return file;
    };
    for (const end of ['-status', '', '.123', '-status.123']) write(end, 8);
    const kept = write('-lease', 6);
    await run('lease', 'k');
    const left = readdirSync(directory).map((file) => join(directory, file));
    expect(left.sort()).toEqual([kept, cacheOf(directory, 'lease')].sort());
  });

  test('that is a pipe', async () => {
    const { directory, run } = createFresh();
    await run('lease', 'k');
    const file = cacheOf(directory, 'lease');
    rmSync(file);
    spawnSync('mkfifo', [file]);
    expect(await run('lease', 'other')).toMatchObject({ code: 0, stderr: '' });
    expect(statSync(file).isFile()).toBe(true);
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
