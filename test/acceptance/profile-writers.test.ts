import { mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { refusal } from '../support/hosted-answers.ts';
import { profileFile, profileFiles } from '../support/profile-files.ts';
import { addProfile, createSandbox, type Outcome, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

const URL = 'https://a.example';
const add = (name: string) => ['profile', 'add', name, '--service', 'onceonly', '--token-stdin'];
const readers = [['list'], ['show', 'shared'], ['export'], ['list']];

/** The default that was chosen, by service; none of them may name a profile that is not there. */
function defaultsOf({ configDirectory }: Sandbox): Record<string, string> {
  const directory = join(configDirectory, 'defaults');
  const files = readdirSync(directory).filter((file) => !file.endsWith('.tmp'));
  const entries = files.map((file) => {
    const { profile } = JSON.parse(readFileSync(join(directory, file), 'utf8'));
    return [file, String(profile)] as const;
  });
  return Object.fromEntries(entries);
}

function expectWhole(sandbox: Sandbox): void {
  const names = profileFiles(sandbox).filter((file) => !file.endsWith('.tmp'));
  for (const file of names) {
    expect(profileFile(sandbox, file.replace('.json', ''))).toMatchObject({ service: 'onceonly' });
  }
  for (const name of Object.values(defaultsOf(sandbox))) expect(names).toContain(`${name}.json`);
}

describe('20 writers at once, and readers in between', () => {
  test('lose nothing, tear nothing, and leave no default without its profile', async () => {
    const sandbox = createSandbox();
    const { run, directory } = sandbox;
    for (const name of ['shared', 'renamed', 'moot', 'gone', 'used']) {
      await addProfile(sandbox, name, URL, `token-of-${name}`);
    }
    const imported = (names: string[]) => {
      const profile = { service: 'onceonly', url: URL };
      const profiles = Object.fromEntries(names.map((name) => [name, profile]));
      return JSON.stringify({ version: 1, profiles, defaults: names });
    };
    const { certFile, keyFile } = createAuthority();
    const writers: Record<string, Parameters<typeof run>> = {
      new1: [add('new1'), { input: 'token-1' }],
      new2: [add('new2'), { input: 'token-2' }],
      new3: [add('new3'), { input: 'token-3' }],
      same1: [add('same'), { input: 'token-1' }],
      same2: [add('same'), { input: 'token-2' }],
      same3: [add('same'), { input: 'token-3' }],
      url: [['profile', 'edit', 'shared', '--url', `${URL}/v2`]],
      token: [['profile', 'edit', 'shared', '--token-stdin'], { input: 'changed' }],
      authorities: [['profile', 'edit', 'shared', '--ca-file', certFile]],
      certificate: [
        ['profile', 'edit', 'shared', '--client-cert', certFile, '--client-key', keyFile],
      ],
      rename: [['profile', 'rename', 'renamed', 'renamed2']],
      moot1: [['profile', 'rename', 'moot', 'moot2']],
      moot2: [['profile', 'remove', 'moot', '--yes']],
      remove: [['profile', 'remove', 'gone', '--yes']],
      use1: [['profile', 'use', 'shared']],
      use2: [['profile', 'use', 'used']],
      use3: [['profile', 'remove', 'used', '--yes']],
      import1: [['profile', 'import', '-'], { input: imported(['in1', 'in2']) }],
      import2: [['profile', 'import', '-'], { input: imported(['in3', 'same']) }],
      import3: [['profile', 'import', '-', '--skip-existing'], { input: imported(['in4', 'in1']) }],
    };
    const started = Object.entries(writers).map(async ([name, args], index) => {
      const reading = run(['profile', ...(readers[index % readers.length] ?? []), '--json']);
      const outcome = await run(...args);
      return { name, outcome, read: await reading };
    });
    const all = await Promise.all(started);
    for (const { read } of all) {
      expect(read).toMatchObject({ code: 0, stderr: '' });
      JSON.parse(read.stdout);
    }
    const code = Object.fromEntries(all.map(({ name, outcome }) => [name, outcome.code]));
    const oneOf = (...names: string[]) => names.filter((name) => code[name] === 0);

    for (const [file, token] of [
      ['new1', 'token-1'],
      ['new2', 'token-2'],
      ['new3', 'token-3'],
    ]) {
      expect(profileFile(sandbox, file ?? '')).toMatchObject({ credential: { token } });
    }
    expect(profileFile(sandbox, 'shared')).toEqual({
      service: 'onceonly',
      url: `${URL}/v2`,
      credential: { type: 'bearer', token: 'changed', origin: URL },
      ca_file: certFile,
      client_cert: certFile,
      client_key: keyFile,
    });
    expect(profileFile(sandbox, 'renamed2')).toMatchObject({
      credential: { token: 'token-of-renamed' },
    });
    const added = oneOf('same1', 'same2', 'same3', 'import2');
    expect(added).toHaveLength(1);
    expect(oneOf('moot1', 'moot2')).toHaveLength(1);
    const always = ['in1', 'in2', 'in4', 'new1', 'new2', 'new3', 'renamed2', 'same', 'shared'];
    const sometimes = [
      ...(code['import2'] === 0 ? ['in3'] : []),
      ...(code['moot1'] === 0 ? ['moot2'] : []),
    ];
    // in1 came with either import; then the other was refused, or passed over it.
    const withIn = code['import1'] === 0 ? always : always.filter((name) => name !== 'in2');
    const expected = [...withIn, ...sometimes].sort().map((name) => `${name}.json`);
    expect(profileFiles(sandbox)).toEqual(expected);
    expectWhole(sandbox);
    const allowed = [...'same1 same2 same3 moot1 moot2 import1 import2 use2'.split(' ')];
    for (const { name, outcome } of all) {
      if (!allowed.includes(name)) expect({ name, ...outcome }).toMatchObject({ name, code: 0 });
      else expect([0, 2]).toContain(outcome.code);
    }
    expect(readdirSync(directory).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  test('of one name: one succeeds, the others are told', async () => {
    const sandbox = createSandbox();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        sandbox.run(add('same'), { input: `token-${index}` }),
      ),
    );
    const winners = outcomes.flatMap(({ code }, index) => (code === 0 ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ code }) => code === 2)).toHaveLength(19);
    expect(profileFile(sandbox, 'same')).toMatchObject({
      credential: { token: `token-${winners[0]}` },
    });
  });

  test('of the default leave one that is there', async () => {
    const sandbox = createSandbox();
    const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
    const outcomes = await Promise.all(
      names.flatMap((name) => [
        sandbox.run(add(name), { input: 'token' }),
        sandbox.run(['profile', 'remove', name, '--yes']),
      ]),
    );
    expect(outcomes.filter(({ code }) => code !== 0 && code !== 2)).toEqual([]);
    const names2 = profileFiles(sandbox);
    for (const name of Object.values(defaultsOf(sandbox))) {
      expect(names2).toContain(`${name}.json`);
    }
  });
});

describe('while a token is tried, another command changes the profile', () => {
  async function during(change: (sandbox: Sandbox) => Promise<Outcome>) {
    const sandbox = createSandbox();
    const stub = await startStub((_, response) => {
      void change(sandbox).then(({ code }) => {
        const { status, body } = Object(refusal(404, 'not_found'));
        response.writeHead(code === 0 ? status : 500).end(JSON.stringify(body));
      });
    });
    await addProfile(sandbox, 'prod', stub.url, 'old-token');
    const args = ['profile', 'edit', 'prod', '--token-stdin', '--verify'];
    return { sandbox, url: stub.url, outcome: await sandbox.run(args, { input: 'new-token' }) };
  }

  test('in something else: both are there', async () => {
    const { certFile } = createAuthority();
    const args = ['profile', 'edit', 'prod', '--ca-file', certFile];
    const { sandbox, outcome } = await during(({ run }) => run(args));
    expect(outcome.code).toBe(0);
    const credential = { token: 'new-token' };
    expect(profileFile(sandbox, 'prod')).toMatchObject({ credential, ca_file: certFile });
  });

  test('to another address: it does not go there', async () => {
    const args = ['profile', 'edit', 'prod', '--url', 'https://b.example', '--no-token'];
    const { sandbox, outcome } = await during(({ run }) => run(args));
    expect(outcome.code).toBe(75);
    expect(outcome.stderr).toContain('Profile prod was changed by another command meanwhile.');
    expect(profileFile(sandbox, 'prod')).toEqual({ service: 'onceonly', url: 'https://b.example' });
  });

  test('away: it does not come back', async () => {
    const args = ['profile', 'remove', 'prod', '--yes'];
    const { sandbox, outcome } = await during(({ run }) => run(args));
    expect(outcome.code).toBe(2);
    expect(profileFiles(sandbox)).toEqual([]);
  });
});

describe('writers that are killed', () => {
  const WRITERS: readonly Parameters<Sandbox['run']>[] = [
    [add('new'), { input: 'token' }],
    [['profile', 'edit', 'kept', '--token-stdin'], { input: 'token'.repeat(2_000) }],
    [['profile', 'use', 'kept']],
    [['profile', 'rename', 'old', 'new']],
    [['profile', 'rename', 'new', 'old']],
    [['profile', 'remove', 'new', '--yes']],
    [['profile', 'use', 'old']],
  ];

  /** @param kill is told how to kill the writer */
  async function killAll(
    rounds: number,
    kill: (end: () => void, sandbox: Sandbox, round: number) => () => void,
  ): Promise<void> {
    const sandbox = createSandbox();
    const { start, run } = sandbox;
    for (const name of ['kept', 'old']) await addProfile(sandbox, name, URL);
    let killed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const [args, options] = WRITERS[round % WRITERS.length] ?? [[]];
      const child = start(args, options);
      const stop = kill(() => child.kill('SIGKILL'), sandbox, round);
      await new Promise((resolve) => child.on('exit', resolve));
      stop();
      if (child.signalCode === 'SIGKILL') killed += 1;
      expectWhole(sandbox);
      expect((await run(['profile', 'list', '--json'])).code).toBe(0);
    }
    expect(killed).toBeGreaterThan(rounds / 4);
    const begun = performance.now();
    expect((await run(['profile', 'use', 'kept'])).code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5_000);
    const left = readdirSync(sandbox.configDirectory, { recursive: true }).map(String);
    expect(left.filter((file) => file.includes('.tmp'))).toEqual([]);
    expect(profileFile(sandbox, 'kept')).toMatchObject({ credential: { origin: URL } });
  }

  test('in the middle of a write', async () => {
    await killAll(35, (end, { configDirectory }) => {
      const directories = ['profiles', 'defaults'].map((name) => join(configDirectory, name));
      const watchers = directories.map((directory) => watch(directory, end));
      return () => {
        for (const watcher of watchers) watcher.close();
      };
    });
  });

  test('at any time', async () => {
    await killAll(35, (end, _, round) => {
      const timer = setTimeout(end, 10 + ((round * 37) % 60));
      return () => clearTimeout(timer);
    });
  });

  test('leave nothing behind that the next writer does not take away', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'kept', URL);
    for (const directory of ['profiles', 'defaults']) {
      mkdirSync(join(sandbox.configDirectory, directory), { recursive: true });
      writeFileSync(join(sandbox.configDirectory, directory, 'x.json.123.tmp'), '{');
    }
    expect(Object(await sandbox.json(['profile', 'list']))).toHaveLength(2);
    await sandbox.json(['profile', 'use', 'kept']);
    expect(profileFiles(sandbox)).toEqual(['kept.json']);
    expect(readdirSync(join(sandbox.configDirectory, 'defaults'))).toEqual(['onceonly.json']);
  });
});
