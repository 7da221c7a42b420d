import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { ATTACKS, type Attack, REFUSALS, startRaw } from '../support/hostile.ts';
import { createSandbox, type Outcome, type Sandbox } from '../support/sandbox.ts';

const TOKEN = 'canary-token-47';
const SECRET = 'canary-secret-47';
const COMMANDS = [
  ['status', 'k'],
  ['lease', 'k'],
  ['result', 'k'],
  ['jobs', 'list'],
  ['runner-jobs', 'lease', '--runner-id', 'r', '--runner-host', 'SELF'],
].map((words) => [...words, '--timeout', '3s']);

/** In kilobytes: Node and the bundle, and an answer of 8 MiB some times over. */
const MOST_MEMORY = 180_000;
/** In milliseconds, on a machine that has other things to do as well. */
const LONGEST = 15_000;

interface Measured extends Outcome {
  /** In milliseconds. */
  readonly took: number;
  /** The most that it used, in kilobytes. */
  readonly memory: number;
}

async function measured(
  { directory, run }: Sandbox,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const [hook, told] = [join(directory, 'hook.cjs'), join(directory, 'told')];
  writeFileSync(
    hook,
    `const { readFileSync, writeFileSync } = require('node:fs');
    const told = ${JSON.stringify(told)};
    process.on('exit', () => writeFileSync(told, readFileSync('/proc/self/status')));`,
  );
  const begun = performance.now();
  const outcome = await run(words, { env: { ...env, NODE_OPTIONS: `--require ${hook}` } });
  const took = performance.now() - begun;
  const memory = Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(told, 'utf8'))?.[1]);
  return { ...outcome, took, memory };
}

/** All commands at once, and one whose token endpoint is the hostile one. */
async function runAll(attack: Attack, debug: string): Promise<readonly Measured[]> {
  const { url } = await startRaw(attack);
  const env = { LEASECTL_URL: url, LEASECTL_TOKEN: TOKEN, LEASECTL_DEBUG: debug };
  const oauth = createSandbox();
  const client = ['--client-id', 'c', '--client-secret-stdin'];
  const profile = ['profile', 'add', 'p', '--service', 'retaia', '--url', `${url}/api/v1`];
  await oauth.run([...profile, ...client], { input: SECRET });
  return Promise.all([
    ...COMMANDS.map((words) => measured(createSandbox(), words, env)),
    measured(oauth, ['jobs', 'list', '--timeout', '3s'], { LEASECTL_DEBUG: debug }),
  ]);
}

function expectTame(outcome: Measured, exits: readonly number[]): void {
  const { code, signal, stdout, stderr, took, memory } = outcome;
  expect({ code, signal, stderr: stderr.slice(0, 2_000) }).toEqual({
    code: expect.toSatisfy((it) => exits.includes(it)),
    signal: null,
    stderr: expect.anything(),
  });
  if (code !== 0) expect(stdout).toBe('');
  expect(stderr).toMatch(code === 0 ? /^$/ : /^Error: .+\n(Hint: .+\n)?$/);
  expect(stderr.length).toBeLessThan(5_000);
  expectQuiet(stdout + stderr);
  expect(took).toBeLessThan(LONGEST);
  expect(memory).toBeLessThan(MOST_MEMORY);
}

/** Nothing secret, nothing of our own making, and nothing that acts on a terminal. */
function expectQuiet(shown: string): void {
  expect(shown).not.toMatch(/canary|^\s+at .*:\d+|has a bug/m);
  const acting = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
  expect(shown.replace(/[\n\t]/g, '')).not.toMatch(acting);
}

describe('a service that sends', () => {
  test.each(Object.entries(ATTACKS))('%s', async (name, attack) => {
    const exits = name === 'control characters in every field' ? [0] : [];
    // What one command does not understand may be all that another one asks for.
    const outcomes = await runAll(attack, '');
    for (const outcome of outcomes) expectTame(outcome, [...exits, 75, 76]);
    // It is not for want of time alone that it ends.
    const said = outcomes.map(({ stderr }) => stderr).join('');
    if (/endless body|bomb/.test(name)) expect(said).toContain('the answer is larger than 8 MiB.');
  });
});

describe('a service that refuses with', () => {
  test.each(Object.entries(REFUSALS))('%s', async (_, attack) => {
    for (const outcome of await runAll(attack, '')) expectTame(outcome, [4, 6, 7, 75, 76]);
  });
});

describe('with all of it shown', () => {
  const some = ['control characters in every field', 'a gzip bomb', 'an endless body', 'no HTTP'];

  test.each(some)('%s stays tame', async (name) => {
    for (const { code, stderr, took, memory } of await runAll(ATTACKS[name] ?? fail, 'http')) {
      expect([0, 75, 76]).toContain(code);
      expect(stderr).toMatch(/^> (GET|POST) http/m);
      expect(stderr.length).toBeLessThan(100_000);
      expectQuiet(stderr);
      expect(took).toBeLessThan(LONGEST);
      expect(memory).toBeLessThan(MOST_MEMORY);
    }
  });

  const fail: Attack = () => expect.unreachable('there is no such attack');
});

/** The other way of fetching: see `http/carrier.ts`. */
test('behind TLS, with an authority of its own, it is the same', async () => {
  const authority = createAuthority();
  const own = authority.issue('hostile', 'IP:127.0.0.1');
  const runs = Object.values(ATTACKS).map((attack) => async () => {
    const { url } = await startRaw(attack, own);
    const sandbox = createSandbox();
    const profile = ['profile', 'add', 'p', '--service', 'onceonly', '--url', url];
    const flags = ['--token-stdin', '--ca-file', authority.certFile];
    await sandbox.run([...profile, ...flags], { input: TOKEN });
    expectTame(await measured(sandbox, ['status', 'k', '--timeout', '3s']), [75, 76]);
  });
  for (let at = 0; at < runs.length; at += 4) {
    await Promise.all(runs.slice(at, at + 4).map((run) => run()));
  }
});
