import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SHELLS, type Shell } from '../../src/completion/answer.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { isInstalled, openCompletingShell } from '../support/completing-shell.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';

/** Leases in the ledger, as if they were acquired; each has a profile of its own: p0, p1, … */
function note({ ledgerFile }: Sandbox, ids: readonly string[]): void {
  const ledger = openLedger(ledgerFile, Date.now);
  for (const [index, id] of ids.entries()) {
    const address = { service: 'onceonly', profile: `p${index}`, location: 'x', id };
    const now = Date.now();
    ledger.remember(address, { handle: 'h', acquiredAt: now, expiresAt: now + 3_600_000 });
  }
  ledger.close();
}

/** Everything that a shell could stumble over. */
const HOSTILE = [
  'plain',
  'a b  c',
  "it's",
  '"quoted"',
  'back\\slash\\',
  '$(touch pwned)',
  '`touch pwned`; touch pwned',
  '$HOME $$ $1',
  '*?[a-z]{a,b}',
  'a~',
  '#no comment',
  'a:b::c',
  'k=v@host,w',
  '|&;<>()',
  '!! !x ^a^b',
  '\'"\'"',
  "$'x'",
  'ünï 漢字 🎉',
  '%s%n\\n',
  'many\nlines\n',
  '\u001b[31mred\u0007',
] as const;

/** The quotes that are open when TAB is pressed: for bash they are ours to fill. */
function openedIn(shell: Shell, index: number): readonly string[] {
  return shell === 'bash' ? ['', "'", '"', "$'"] : ['', index % 2 === 0 ? "'" : '"'];
}

describe.each(SHELLS)('%s', (shell) => {
  test.skipIf(!isInstalled(shell))('completes commands, flags, values and files', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'prod', 'https://example.com');
    await addProfile(sandbox, 'media', 'https://example.com/api/v1', 't', 'retaia');
    await sandbox.json(['lease', 'deploy:web app', '--profile', 'local']);
    const { argsAfter, directory } = await openCompletingShell(shell, sandbox);
    writeFileSync(join(directory, 'my file.json'), '{}');

    expect(await argsAfter('leasectl sta')).toEqual(['status']);
    expect(await argsAfter('leasectl runner-jobs pi')).toEqual(['runner-jobs', 'ping']);
    expect(await argsAfter('leasectl lease k --tt')).toEqual(['lease', 'k', '--ttl']);
    expect(await argsAfter('leasectl status --profile pr')).toEqual([
      'status',
      '--profile',
      'prod',
    ]);
    expect(await argsAfter('leasectl status --profile=pr')).toEqual(['status', '--profile=prod']);
    expect(await argsAfter('leasectl jobs list --profile m')).toEqual([
      ...['jobs', 'list', '--profile', 'media'],
    ]);
    expect(await argsAfter('leasectl profile use me')).toEqual(['profile', 'use', 'media']);
    expect(await argsAfter('leasectl profile add x --service on')).toEqual([
      ...['profile', 'add', 'x', '--service', 'onceonly'],
    ]);
    // The default profile holds nothing: any other's are better than none.
    expect(await argsAfter('leasectl extend dep')).toEqual(['extend', 'deploy:web app']);
    expect(await argsAfter('leasectl extend --profile prod dep')).toEqual([
      ...['extend', '--profile', 'prod', 'dep'],
    ]);
    expect(await argsAfter('leasectl complete k --result @my')).toEqual([
      ...['complete', 'k', '--result', '@my file.json'],
    ]);
    expect(await argsAfter('leasectl admin jobs add --file my')).toEqual([
      ...['admin', 'jobs', 'add', '--file', 'my file.json'],
    ]);
    expect(await argsAfter('leasectl exec k -- basena')).toEqual(['exec', 'k', '--', 'basename']);
    expect(await argsAfter('leasectl exec k -- cat my')).toEqual([
      ...['exec', 'k', '--', 'cat', 'my file.json'],
    ]);
    expect(await argsAfter('leasectl lease k --ttl m')).toEqual(['lease', 'k', '--ttl', 'm']);
  });

  test.skipIf(!isInstalled(shell)).each([
    [
      'leasectl jobs ',
      /heartbeat[\s\S]*Hold a job for longer[\s\S]*submit/,
      /heartbeat +list +submit/,
    ],
    ['leasectl status --profile ', /prod[\s\S]*onceonly/, /local +prod/],
    ['leasectl lease k --t', /--timeout[\s\S]*How long to try[\s\S]*--ttl/, /--timeout +--ttl/],
  ])('shows what can follow %j', async (typed, described, bare) => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'prod', 'https://example.com');
    const { shows } = await openCompletingShell(shell, sandbox);
    await shows(typed, shell === 'bash' ? bare : described);
  });

  test.skipIf(!isInstalled(shell))('completes whatever a key is, and runs nothing', async () => {
    const sandbox = createSandbox();
    // Hidden by what they would do to a line, or begin with.
    const special = ['-rf', 'right\u202eleft', 'tab\there', '~'];
    note(sandbox, [...HOSTILE, ...special]);
    const { argsAfter, directory } = await openCompletingShell(shell, sandbox);
    for (const [index, id] of HOSTILE.entries()) {
      for (const open of openedIn(shell, index)) {
        const args = ['status', '--profile', `p${index}`];
        expect(await argsAfter(`leasectl ${args.join(' ')} ${open}`)).toEqual([...args, id]);
      }
    }
    const [dashed, reversed, tabbed, home] = special.map(
      (_, index) => `p${HOSTILE.length + index}`,
    );
    expect(await argsAfter(`leasectl status --profile ${dashed} -- `)).toEqual([
      ...['status', '--profile', dashed, '--', '-rf'],
    ]);
    expect(await argsAfter(`leasectl status --profile ${dashed} `)).not.toContain('-rf');
    const canShow = shell === 'bash' ? [special[1]] : [];
    expect(await argsAfter(`leasectl status --profile ${reversed} `)).toEqual([
      ...['status', '--profile', reversed, ...canShow],
    ]);
    expect(await argsAfter(`leasectl status --profile ${tabbed} `)).toEqual([
      ...['status', '--profile', tabbed, ...(shell === 'fish' ? [] : [special[2]])],
    ]);
    expect(await argsAfter(`leasectl status --profile ${home} `)).toEqual([
      ...['status', '--profile', home, ...(shell === 'fish' ? [] : ['~'])],
    ]);
    expect(readdirSync(directory)).toEqual([]);
  });
});

const COMPLETE = ['__complete', 'fish', 'leasectl'];

/** Every file of a machine, with what is in it; but for where SQLite notes who reads. */
function filesOf(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const found = files.map((file) => join(directory, file));
  return Object.fromEntries(
    found
      .filter((file) => statSync(file).isFile() && !file.endsWith('-shm'))
      .map((file) => [file, readFileSync(file, 'latin1')]),
  );
}

test('nothing is written, also where nothing is', async () => {
  const sandbox = createSandbox();
  const env = { XDG_CACHE_HOME: join(sandbox.directory, 'cache') };
  const ask = (...words: string[]) => sandbox.run([...COMPLETE, ...words], { env });
  expect(await ask('status', '')).toMatchObject({ code: 0, stdout: 'words\0\0', stderr: '' });
  expect((await ask('')).stdout).toContain('status\tShow the state of a key');
  expect(readdirSync(sandbox.directory)).toEqual([]);

  await sandbox.json(['lease', 'k']);
  const after = filesOf(sandbox.directory);
  expect((await ask('status', '')).stdout).toMatch(/^words\0\0k\tlocal, .* left\0$/);
  expect(filesOf(sandbox.directory)).toEqual(after);

  // As it is while another process has it open.
  const ledger = openLedger(sandbox.ledgerFile, Date.now);
  ledger.remember(
    { service: 'onceonly', profile: 'local', location: 'x', id: 'new' },
    {
      handle: 'h',
      acquiredAt: Date.now(),
      expiresAt: Date.now() + 60_000,
    },
  );
  const { stdout } = await ask('status', '');
  expect(stdout).toMatch(/\0new\tlocal, .* left\0/);
  // When SQLite clears away what was beside the file is for the garbage collector to say.
  ledger.close();
  expect((await ask('status', '')).stdout).toContain('new');
});

test('live leases are offered for what needs one, others where there is none', async () => {
  const sandbox = createSandbox();
  const ask = async (command: string) => {
    const { stdout } = await sandbox.run([...COMPLETE, command, '']);
    return stdout
      .split('\0')
      .slice(2, -1)
      .map((line) => line.split('\t')[0]);
  };
  const ledger = openLedger(sandbox.ledgerFile, Date.now);
  const remember = (id: string, left: number) => {
    const address = { service: 'onceonly', profile: 'local', location: 'x', id };
    const now = Date.now();
    ledger.remember(address, { handle: 'h', acquiredAt: now - 100_000, expiresAt: now + left });
  };
  remember('over', -50_000);
  expect(await ask('extend')).toEqual(['over']);
  remember('live', 50_000);
  expect(await ask('extend')).toEqual(['live']);
  expect(await ask('status')).toEqual(['live', 'over']);
  ledger.close();
});

test.each<[string, (sandbox: Sandbox) => void]>([
  ['ledger', ({ ledgerFile }) => writeFileSync(ledgerFile, 'nonsense'.repeat(1_000))],
  [
    'profile',
    ({ configDirectory }) => writeFileSync(join(configDirectory, 'profiles', 'bad.json'), '{'),
  ],
])('a broken %s is passed over', async (what, spoil) => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://example.com');
  // By a process that is gone: one that has the file open may write to it when it closes it.
  await sandbox.json(['lease', 'k', '--profile', 'local']);
  spoil(sandbox);
  const keys = await sandbox.run([...COMPLETE, 'status', '']);
  expect(keys).toMatchObject({ code: 0, stderr: '' });
  expect(keys.stdout.includes('k\t')).toBe(what === 'profile');
  const profiles = await sandbox.run([...COMPLETE, 'status', '--profile', '']);
  expect(profiles.stdout).toBe('words\0\0local\tembedded\0prod\tonceonly\0');
  // Whoever wants to remove it has to name it.
  const { stdout } = await sandbox.run([...COMPLETE, 'profile', 'remove', '']);
  expect(stdout.includes('bad\tbroken')).toBe(what === 'profile');
});

test('whatever is wrong, a shell sees nothing of it', async () => {
  const { run } = createSandbox();
  for (const args of [
    [],
    ['tcsh'],
    ['bash'],
    ['bash', "leasectl 'a", 'b'],
    ['zsh'],
    ['fish', 'x'],
  ]) {
    expect(await run(['__complete', ...args])).toMatchObject({ code: 0, stderr: '' });
  }
  expect(await run(['__complete', 'tcsh', 'x'])).toMatchObject({ stdout: '' });
});

test.each(SHELLS)(
  'completion prints the script of %s, and nothing tells of the question',
  async (shell) => {
    const { run, json } = createSandbox();
    const { code, stdout } = await run(['completion', shell]);
    expect(code).toBe(0);
    expect(await json(['completion', shell])).toEqual({ shell, script: stdout });
    for (const help of [['--help'], ['help', 'completion']]) {
      expect((await run(help)).stdout).not.toContain('__complete');
    }
  },
);
