import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BIN, createSandbox, type RunOptions } from '../support/sandbox.ts';
import { closedUrl } from '../support/stub-server.ts';

interface Case {
  readonly args: readonly string[];
  readonly code: number;
  readonly name: string;
  readonly message: RegExp;
  readonly options?: RunOptions;
}

const usage = (args: readonly string[], message: RegExp, options?: RunOptions): Case => ({
  args,
  code: 2,
  name: 'usage',
  message,
  ...(options ? { options } : {}),
});

const CASES: readonly Case[] = [
  usage(['lease'], /^Missing KEY\.$/),
  usage(['lease'], /^Missing KEY\.$/, { input: 'canary' }),
  usage(['lease', '--metadata', '-'], /^Missing KEY\.$/, { input: '{"a": "canary"}' }),
  usage(
    ['profile', 'add', '--service', 'onceonly'],
    /^A new profile needs a NAME and a --service\.$/,
    { input: 'canary' },
  ),
  usage(['run'], /Give either a KEY/, { input: 'canary' }),
  usage(
    ['lease', 'a', 'lease_canary'],
    /^Too many arguments: leasectl lease takes KEY, and no more\.$/,
  ),
  usage(
    ['api', 'GET', '/x', 'lease_canary'],
    /^Too many arguments: leasectl api takes METHOD and PATH, and no more\.$/,
  ),
  usage(
    ['profile', 'list', 'once_live_canary'],
    /^Too many arguments: leasectl profile list takes none\.$/,
  ),
  usage(['lease', 'a', '--token=once_live_canary'], /^There is no flag --token\.$/),
  usage(['lease', 'a', '--timeout', '2h'], /--timeout is no usable duration: "2h"/),
  usage(['lease', 'a', '--bogus'], /^There is no flag --bogus\.$/),
  usage(['version'], /^There is no command "version"\.$/),
  usage(['-v'], /^There is no flag -v\.$/),
  usage(['-V'], /^There is no flag -V\.$/),
  usage(['complete', 'a', '--result', '@/'], /--result: "\/" cannot be read \(EISDIR\)\./),
  usage(['bogus'], /^There is no command "bogus"\.$/),
  usage(['lease', 'a', '--ttl', '99d'], /--ttl is no usable duration: "99d"\./),
  usage(['lease', 'a', '--ttl'], /--ttl expects a value/),
  usage(['lease', 'a', '--timeout', 'x'], /--timeout is no usable duration/),
  usage(['lease', 'a', '--meta', 'novalue'], /--meta is no NAME=VALUE: "novalue"\./),
  usage(['lease', 'a', '--metadata', '{'], /--metadata is not valid JSON\./),
  usage(['lease', 'a', '--metadata', '[]'], /--metadata is not a JSON object\./),
  usage(
    ['lease', 'a', '--metadata', '@/nonexistent'],
    /--metadata: "\/nonexistent" cannot be read \(ENOENT\)\./,
  ),
  usage(['complete', 'a', '--result', '-', '--lease-id', '-'], /cannot read stdin/, {
    input: '{}',
  }),
  usage(['complete', 'a', '--lease-id', ''], /--lease-id is empty\./),
  usage(['complete', 'a'], /This machine holds no lease on a \(profile local\); it is not held\./),
  usage(['fail', 'a'], /Missing required flag error-code\./),
  usage(['run'], /Give either a KEY/),
  usage(['run', 'k', '--agent', 'a', '--tool', 't'], /Give either a KEY/),
  usage(['run', '--agent', 'a'], /Give either a KEY/),
  usage(['run', '--agent', 'a', '--tool', 't', '--ttl', '5s'], /Give either a KEY/),
  usage(['run', '--agent', 'a', '--tool', 't', '--spend', 'much'], /--spend is no amount/),
  usage(['profile', 'remove', 'local'], /"local" is built in\./),
  usage(['leas', 'k'], /^There is no command "leas"\.$/),
  usage(['lease', '--idempotent=true'], /--idempotent takes no value\./),
  usage(
    ['complete', 'a', '--result', '{"n": 12345678901234567890}'],
    /12345678901234567890 is not exact/,
  ),
  usage(['complete', 'a', '--result', '{"n": 1e400}'], /1e400 is not exact/),
  usage(['status', 'a'], /LEASECTL_TOKEN holds no token\./, {
    env: { LEASECTL_URL: 'https://example.com', LEASECTL_TOKEN: 'once_live\ncanary' },
  }),
  usage(['status', 'a', '--profile', 'nope'], /There is no profile nope\./),
  usage(['profile', 'add', 'local', '--service', 'onceonly'], /"local" is built in\./),
  usage(['profile', 'add', '../x', '--service', 'onceonly'], /is no profile name\./),
  usage(['profile', 'add', 'x', '--service', 'other'], /Expected --service to be one of/),
  usage(
    ['profile', 'add', 'x', '--service', 'onceonly', '--url', 'ftp://x'],
    /--url is no usable base URL/,
  ),
  usage(
    ['profile', 'add', 'x', '--service', 'onceonly', '--token-stdin'],
    /stdin holds no token\./,
  ),
  usage(['status', 'a'], /LEASECTL_TOKEN is set, but nothing says where to send it/, {
    env: { LEASECTL_TOKEN: 'x' },
  }),
  usage(['status', 'a'], /LEASECTL_URL is no usable base URL\./, { env: { LEASECTL_URL: 'nope' } }),
  usage(['status', 'a'], /never sent to http:\/\/example\.com unencrypted/, {
    env: { LEASECTL_URL: 'http://example.com', LEASECTL_TOKEN: 'once_live_canary' },
  }),
  {
    args: ['status', 'a'],
    code: 4,
    name: 'unauthorized',
    message: /No token for https:\/\/example\.com \(LEASECTL_URL\)\./,
    options: { env: { LEASECTL_URL: 'https://example.com' } },
  },
  { args: ['status', 'nope'], code: 3, name: 'not_found', message: /^nope: Nothing is known/ },
  { args: ['result', 'nope'], code: 3, name: 'not_found', message: /^nope: Nothing is known/ },
  {
    args: ['extend', 'nope', '--lease-id', 'lease_x'],
    code: 3,
    name: 'not_found',
    message: /^nope: Nothing is known/,
  },
  {
    args: ['lease', 'a\nb'],
    code: 6,
    name: 'invalid_request',
    message: /body\.key: Key should have no control characters/,
  },
  {
    args: ['run', '--agent', 'a', '--tool', 't', '--args', '-'],
    code: 4,
    name: 'unauthorized',
    message: /runs no tools; it only leases keys \(onceonly 403 feature_not_available\)/,
    options: { input: '{"to": "a@example.com"}' },
  },
];

describe('every failure ends with its code, with and without --json, in a line or two', () => {
  test.each(CASES)('$args: $code', async ({ args, code, name, message, options }) => {
    const { run } = createSandbox();
    const text = await run(args, options);
    expect(text).toMatchObject({ code, stdout: '' });
    const [error = '', hint, ...rest] = text.stderr.trimEnd().split('\n');
    expect(error.replace(/^Error: /, '')).toMatch(message);
    expect(hint).toMatch(/^Hint: .+/);
    expect(rest).toEqual([]);

    const json = await run([...args, '--json'], options);
    expect(json).toMatchObject({ code, stdout: '' });
    const parsed = JSON.parse(json.stderr);
    expect(Object.keys(parsed)).toEqual(['error']);
    expect(parsed.error).toMatchObject({ code: name, retryable: code === 75 });
    expect(parsed.error.message).toMatch(message);
    expect(text.stderr + json.stderr).not.toMatch(/canary/);
  });
});

test('a service that cannot be reached: 75', async () => {
  const { run } = createSandbox();
  const env = { LEASECTL_URL: await closedUrl(), LEASECTL_TOKEN: 'once_live_canary' };
  const { code, stderr } = await run(['status', 'k', '--timeout', '1s', '--json'], { env });
  expect(code).toBe(75);
  expect(JSON.parse(stderr).error).toMatchObject({ code: 'unavailable', retryable: true });
});

describe('a damaged machine', () => {
  test('has its database named, and left alone', async () => {
    const { run, databaseFile } = createSandbox();
    mkdirSync(dirname(databaseFile), { recursive: true });
    writeFileSync(databaseFile, 'not a database, but long enough to be read as one. '.repeat(40));
    const { code, stderr } = await run(['status', 'k']);
    expect(code).toBe(2);
    expect(stderr).toContain(`${databaseFile} is damaged or no SQLite database (SQLITE_NOTADB).`);
  });

  test('without a place for its files says which', async () => {
    const { run, directory } = createSandbox();
    writeFileSync(join(directory, 'file'), '');
    const env = { XDG_DATA_HOME: join(directory, 'file') };
    const { code, stderr } = await run(['status', 'k'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(`${join(directory, 'file', 'leasectl', 'leases.db')} cannot be used`);
  });

  test.each([
    [
      '{\n  "service": "onceonly",\n  "url" "x"\n}\n',
      'prod.json:3:9 is not valid JSON (ColonExpected).',
    ],
    ['{\n  "service": "onceonly"', 'prod.json:2:24 is not valid JSON'],
    ['', 'prod.json:1:1 is not valid JSON'],
    ['{\n  "service": "onceonly",\n  "url": 7\n}', 'prod.json:3:10 has no usable "url".'],
    ['{\n  "service": "else",\n  "url": "http://x"\n}', 'prod.json:2:14 has no usable "service".'],
    ['{ "service": "onceonly" }', 'prod.json:1:1 has no usable "url".'],
  ])('has its broken profile named with the line: %j', async (content, message) => {
    const { run, configDirectory } = createSandbox();
    mkdirSync(join(configDirectory, 'profiles'), { recursive: true });
    const file = join(configDirectory, 'profiles', 'prod.json');
    writeFileSync(file, content);
    const { code, stderr } = await run(['status', 'k', '--profile', 'prod']);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    const add = await run(['profile', 'add', 'prod', '--service', 'onceonly']);
    expect(add.code).toBe(2);
    expect(await run(['profile', 'list'])).toMatchObject({ code: 2 });
  });
});

test('a number that JSON carries exactly is no failure', async () => {
  const { json } = createSandbox();
  await json(['lease', 'k']);
  const result =
    '{"a": 9007199254740991, "b": -1.5e300, "c": "12345678901234567890", "d\\"1e400": 0.1}';
  await json(['complete', 'k', '--result', result]);
  expect(await json(['result', 'k'])).toMatchObject({ result: JSON.parse(result) });
});

test('a message about a key that nobody would read is cut', async () => {
  const { run } = createSandbox();
  const { code, stderr } = await run(['status', 'x'.repeat(100_000)]);
  expect(code).toBe(6);
  expect(stderr.length).toBeLessThan(2_500);
});

test.each([[['status', 'k']], [['status', 'k', '--json']], [['--version']], [['profile', 'list']]])(
  'output that cannot be written is told: %j',
  async (args) => {
    const { env, json } = createSandbox();
    await json(['lease', 'k']);
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], {
      env,
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(status).toBe(75);
    const message = 'stdout cannot be written (ENOSPC).';
    if (args.includes('--json')) expect(JSON.parse(stderr).error).toMatchObject({ message });
    else expect(stderr).toMatch(/^Error: stdout cannot be written \(ENOSPC\)\.\nHint: .*\n$/);
  },
);

test('a stack is shown only when it is asked for', async () => {
  const { run } = createSandbox();
  const plain = await run(['status', 'nope']);
  expect(plain.stderr).not.toMatch(/^\s+at /m);
  const debug = await run(['status', 'nope'], { env: { LEASECTL_DEBUG: '1' } });
  expect(debug.stderr).toMatch(/^\s+at /m);
  expect(debug.code).toBe(3);
});

test('a configuration that cannot be read is named', async () => {
  const { run, directory } = createSandbox();
  writeFileSync(join(directory, 'file'), '');
  const env = { XDG_CONFIG_HOME: join(directory, 'file') };
  for (const args of [
    ['profile', 'list'],
    ['status', 'k'],
    ['profile', 'add', 'p', '--service', 'onceonly'],
  ]) {
    const { code, stderr } = await run(args, { env });
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(stderr).toMatch(
      /^Error: \S+\/file\/leasectl\S* cannot be (used|read) \(ENOTDIR\)\.\nHint: .*\n$/,
    );
  }
});

test('a reader that has read enough is no error', async () => {
  const { start } = createSandbox();
  const child = start(['--help']);
  child.stdout?.destroy();
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
});
