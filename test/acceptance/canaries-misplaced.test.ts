import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SECRETS, secretsIn } from '../support/canaries.ts';
import { COMMANDS, type Command, FORMS } from '../support/canary-surface.ts';
import { createSandbox, type Outcome, type RunOptions } from '../support/sandbox.ts';
import { startLastingStub } from '../support/stub-server.ts';

/*
 * Secrets where they do not belong: nobody says them again. Keys, names and values of flags that
 * there are may be said, so that one sees what is wrong with them.
 */

const SECRET = SECRETS.typed;
/** With what patterns for words end at. */
const WORDY = `my ${SECRET} too`;
const AT_ONCE = 4;
const DEBUG = { LEASECTL_DEBUG: '1,http' };

/** What is typed wrongly about a command. */
function mistakes({ id, flags, runsCommand }: Command): string[][] {
  const [form] = FORMS.filter(({ command }) => command.id === id);
  const words = (form?.words ?? []).map((word) => word.replace(/[{}]/g, ''));
  const end = runsCommand ? words.indexOf('--') : words.length;
  const with_ = (...more: string[]) => words.toSpliced(end, 0, ...more);
  const chosen = Object.values(flags).filter(({ options }) => options);
  const switches = Object.values(flags).filter(({ type }) => type === 'boolean');
  return [
    with_(`--xyz=${WORDY}`, `-x${SECRET}`, `-y=${SECRET}`),
    with_('--xyz', SECRET, ...('json' in flags ? ['--json'] : [])),
    with_(SECRET, WORDY),
    ...chosen.slice(0, 1).map(({ name }) => with_(`--${name}=${WORDY}`)),
    ...chosen.slice(1, 2).map(({ name }) => with_(`--${name}`, SECRET)),
    ...switches.slice(0, 1).map(({ name }) => with_(`--${name}=${WORDY}`)),
  ];
}

const shown = ({ stdout, stderr }: Outcome) => secretsIn(stdout + stderr);

test('in a place that no command has', async () => {
  const sandbox = createSandbox();
  const waiting = [
    ...COMMANDS.flatMap(mistakes),
    [SECRET],
    ['login', SECRET],
    ['leese', SECRET, '--ttl', '5m'],
    ['profile', 'ad', SECRET],
    ['--token', SECRET, 'status', 'k'],
    [`--token=${SECRET}`, 'status', 'k'],
    [`--token=${SECRET}`],
    ['profile', `--token=${SECRET}`, 'add'],
    ['help', 'login', SECRET],
  ];
  const told: string[] = [];
  const work = async () => {
    for (let words = waiting.shift(); words; words = waiting.shift()) {
      const outcome = await sandbox.run(words, { env: DEBUG });
      const { code, stderr } = outcome;
      if (shown(outcome).length > 0) told.push(`${words.join(' ')}: ${stderr.slice(0, 300)}`);
      if (code !== 2 && words[0] !== 'help') told.push(`${words.join(' ')}: it ended with ${code}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(told).toEqual([]);
});

test('as what a command is about', async () => {
  const known = [...COMMANDS].filter(({ service }) =>
    /^(onceonly|retaia|askui)$/.test(service ?? ''),
  );
  const { run } = createSandbox();
  const stub = await startLastingStub({
    status: 401,
    body: { detail: 'No.', code: 'NO', message: 'No.' },
  });
  const env = { ...DEBUG, LEASECTL_URL: stub.url, LEASECTL_TOKEN: SECRETS.bearer };
  for (const command of known) {
    const [form] = FORMS.filter((one) => one.command === command);
    const words = (form?.words ?? []).map((word) =>
      /^\{(held-)?(key|.*job)\}$|^word$/.test(word) ? SECRETS.bearer : word,
    );
    for (const more of [[], ...('json' in command.flags ? [['--json']] : [])]) {
      const end = command.runsCommand ? words.indexOf('--') : words.length;
      const typed = [...words.slice(0, end), ...more, ...words.slice(end)];
      const outcome = await run(
        typed.map((word) => (word.startsWith('{given}') ? 'true' : word)),
        { env },
      );
      expect(outcome.code, outcome.stderr).not.toBe(0);
      expect(shown(outcome), outcome.stderr).toEqual([]);
    }
  }
});

const IN_URL = encodeURIComponent(SECRETS.user);
const URL_WITH = `https://u:${IN_URL}@service.test/api`;
const ADD = ['profile', 'add', 'p', '--service', 'retaia'];

describe('in a URL', () => {
  test.each<[string, string[], RunOptions['env']]>([
    ['of the environment', ['status', 'k'], { LEASECTL_URL: URL_WITH, LEASECTL_TOKEN: 'token-1' }],
    ['that is none', ['status', 'k'], { LEASECTL_URL: `https://u:${SECRETS.user}@x` }],
    ['of a profile', [...ADD, '--url', URL_WITH], {}],
    ['with a query', [...ADD, '--url', `https://service.test?token=${IN_URL}`], {}],
    [
      'of a token endpoint',
      [
        ...ADD,
        '--url',
        'https://s.test/api/v1',
        '--token-url',
        URL_WITH,
        '--client-id',
        'c',
        '--client-secret-stdin',
      ],
      {},
    ],
    ['of a request', ['api', 'GET', URL_WITH, '--service', 'onceonly'], {}],
    [
      'of a request to another host',
      ['api', 'GET', URL_WITH, '--service', 'onceonly'],
      { LEASECTL_URL: 'https://other.test', LEASECTL_TOKEN: 'token-1' },
    ],
    [
      'of a proxy of another kind',
      ['status', 'k'],
      {
        LEASECTL_URL: 'https://service.test',
        LEASECTL_TOKEN: 'token-1',
        HTTPS_PROXY: `socks5://u:${IN_URL}@proxy.test`,
      },
    ],
    [
      'of a proxy that is none',
      ['status', 'k'],
      {
        LEASECTL_URL: 'https://service.test',
        LEASECTL_TOKEN: 'token-1',
        HTTPS_PROXY: `http://u:${SECRETS.user}@[proxy`,
      },
    ],
    [
      'that doctor looks at',
      ['doctor'],
      { LEASECTL_URL: URL_WITH, HTTPS_PROXY: `socks5://u:${IN_URL}@p` },
    ],
  ])('%s', async (_, words, env) => {
    const { run } = createSandbox();
    for (const more of [[], ['--json']]) {
      const outcome = await run([...words, ...more], {
        env: { ...DEBUG, ...env },
        input: 'secret-1',
      });
      expect(outcome.code).not.toBe(0);
      expect(shown(outcome), outcome.stderr).toEqual([]);
    }
  });
});

const HIDDEN = SECRETS.misfiled;
const text = JSON.stringify(HIDDEN);
const PROFILE = `{"service": "onceonly", "url": "https://a.test", "credential": {"type": "bearer", "token": ${text}, "origin": "https://a.test"}}`;

describe('in a file', () => {
  test.each<[string, string, string, string[]]>([
    ['a project that names a token', '.leasectl.json', `{"token": ${text}}`, ['status', 'k']],
    [
      'a project with a strange profile',
      '.leasectl.json',
      `{"profiles": {"${HIDDEN.length}": ${text}}}`,
      ['status', 'k'],
    ],
    [
      'a project that breaks off',
      '.leasectl.json',
      `{"key_prefix": ${text.slice(0, -1)}`,
      ['status', 'k'],
    ],
    [
      'a project with a strange TTL',
      '.leasectl.json',
      `{"ttl": {"lease": {"${'a'}": ${text}}}}`,
      ['lease', 'k'],
    ],
    [
      'a profile that breaks off',
      'config/leasectl/profiles/p.json',
      PROFILE.slice(0, -3),
      ['status', 'k', '--profile', 'p'],
    ],
    [
      'a profile of another form',
      'config/leasectl/profiles/p.json',
      PROFILE.replace('"token"', '"tokens"').replace('bearer', 'x'),
      ['status', 'k', '--profile', 'p'],
    ],
    [
      'a profile with a strange token',
      'config/leasectl/profiles/p.json',
      PROFILE.replace(text, JSON.stringify(`${HIDDEN} ü`)),
      ['status', 'k', '--profile', 'p'],
    ],
    [
      'a profile that doctor looks at',
      'config/leasectl/profiles/p.json',
      PROFILE.slice(0, -3),
      ['doctor', '--offline'],
    ],
    [
      'profiles to import',
      'file',
      `{"version": 1, "profiles": {"x": ${PROFILE.replace('onceonly', 'x')}}}`,
      ['profile', 'import', 'file'],
    ],
    [
      'profiles to import that break off',
      'file',
      `{"version": 1, "profiles": {"x": ${PROFILE}`,
      ['profile', 'import', 'file'],
    ],
    [
      'a token of two words',
      'file',
      `${HIDDEN} x`,
      [...ADD, '--url', 'https://a.test/api/v1', '--token-file', 'file'],
    ],
    [
      'a token that is JSON',
      'file',
      `{"token": ${text}, "a": "ü"}`,
      [...ADD, '--url', 'https://a.test/api/v1', '--token-file', 'file'],
    ],
    ['a handle of two words', 'file', `${HIDDEN} x`, ['extend', 'k', '--lease-id', '@file']],
    [
      'an answer without the handle',
      'file',
      `{"token": ${text}}`,
      ['jobs', 'heartbeat', 'j', '--handle-file', 'file'],
    ],
    [
      'jobs that cannot be',
      'file',
      `{"access_token": ${text}, "max_tries": "x"}`,
      ['admin', 'runner-jobs', 'add', '--file', 'file'],
    ],
    [
      'jobs that break off',
      'file',
      `{"access_token": ${text}`,
      ['admin', 'runner-jobs', 'add', '--file', 'file'],
    ],
    [
      'a result that breaks off',
      'file',
      `{"password": ${text}`,
      ['complete', 'k', '--result', '@file'],
    ],
    [
      'a body that breaks off',
      'file',
      `{"password": ${text}`,
      ['api', 'POST', '/x', '--service', 'onceonly', '--input', '@file'],
    ],
  ])('%s', async (_, file, content, words) => {
    const { directory, run } = createSandbox();
    mkdirSync(join(directory, dirname(file)), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, file), content);
    for (const more of [[], ['--json']]) {
      const outcome = await run([...words, ...more], { env: DEBUG, cwd: directory });
      expect(outcome.code).not.toBe(0);
      expect(shown(outcome), outcome.stdout + outcome.stderr).toEqual([]);
    }
  });

  test.each([
    ['fails, and repeats it', 'echo "$T"; echo "no $T" >&2; exit 3'],
    ['prints more than one word', 'echo "$T x"'],
    ['repeats itself', 'set -x; echo "$T"; false'],
  ])('a command that prints a token, and %s', async (_, line) => {
    const { json, run } = createSandbox();
    await json(['profile', 'add', 'p', '--service', 'onceonly', '--token-command', line]);
    const outcome = await run(['status', 'k'], { env: { ...DEBUG, T: HIDDEN } });
    expect(outcome.code).toBe(4);
    expect(shown(outcome), outcome.stderr).toEqual([]);
  });
});

test.each(['LEASECTL_TOKEN', 'ONCEONLY_API_KEY'])('%s that is no token', async (name) => {
  const { run } = createSandbox();
  const env = { ...DEBUG, LEASECTL_URL: 'https://a.test', [name]: `${HIDDEN}\nü` };
  for (const words of [['status', 'k'], ['doctor'], ['profile', 'show', '--resolve', 'status']]) {
    const outcome = await run(words, { env });
    expect(shown(outcome), outcome.stderr).toEqual([]);
  }
});
