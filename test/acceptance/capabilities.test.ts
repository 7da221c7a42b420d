import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url)), 'utf8'),
);
interface Command {
  readonly id: string;
  readonly flags: object;
  readonly service?: string;
}
const commands: readonly Command[] = Object.values(manifest.commands);

interface Listed {
  readonly commands: readonly { command: string; available: boolean; note: string | null }[];
}

/** The commands that are available, and the notes of all. */
function read(listed: unknown) {
  const { commands: list }: Listed = Object(listed);
  return {
    available: list.filter(({ available }) => available).map(({ command }) => command),
    notes: Object.fromEntries(list.map(({ command, note }) => [command, note])),
  };
}

test('every command that talks to a service says to which', () => {
  // doctor looks at all of them.
  const talking = commands
    .filter(({ id, flags }) => 'timeout' in flags || id.startsWith('admin:'))
    .filter(({ id }) => id !== 'doctor');
  const silent = talking.filter(({ service }) => service === undefined).map(({ id }) => id);
  expect(silent).toEqual([]);
  expect(commands.filter(({ service }) => service).length).toBe(talking.length);
});

test('the manifest holds no flags and arguments beside those of the commands', () => {
  const names = commands.flatMap((command) => Object.keys(command));
  expect([...new Set(names)].filter((name) => /flags|args/i.test(name)).sort()).toEqual([
    'args',
    'flags',
  ]);
});

describe('capabilities', () => {
  test('of the embedded service are all, but it runs no tools', async () => {
    const { run, json } = createSandbox();
    const listed = await json(['capabilities']);
    expect(listed).toEqual(await json(['capabilities', 'local']));
    expect(listed).toMatchObject({ profile: 'local', service: 'all', url: null });
    const { available, notes } = read(listed);
    const talking = commands.filter(({ service }) => service).map(({ id }) => id);
    expect(available).toEqual(talking.map((id) => id.replaceAll(':', ' ')).sort());
    expect(notes['run']).toBe('It runs no tools: only a KEY.');
    expect(notes['status']).toBe(null);
    const { stdout } = await run(['capabilities', 'local']);
    expect(stdout).toMatch(/^COMMAND\tAVAILABLE\tNOTE\n/);
    expect(stdout).toContain(
      '\nrun\tyes\tIt runs no tools: only a KEY.\nrunner-jobs complete\tyes\t\n',
    );
  });

  test('of a hosted service are its own commands, and nothing is sent', async () => {
    const { url } = await startStub();
    const sandbox = createSandbox();
    await addProfile(sandbox, 'runners', `${url}/`, 'token', 'askui');
    const listed = await sandbox.json(['capabilities', 'runners']);
    expect(await sandbox.json(['capabilities'])).toEqual(listed);
    expect(listed).toMatchObject({ profile: 'runners', service: 'askui', url });
    const { available, notes } = read(listed);
    expect(available).toEqual([
      ...['api', 'break', 'ls', 'runner-jobs complete', 'runner-jobs exec', 'runner-jobs lease'],
      ...['runner-jobs ping', 'watch', 'why'],
    ]);
    expect(notes).toMatchObject({
      lease: 'Only for onceonly.',
      'jobs claim': 'Only for retaia.',
      'admin jobs add': 'Only for leasectl.',
      'runner-jobs exec': expect.stringContaining('unknown whether a lease was taken'),
      'runner-jobs ping': null,
    });
  });

  test('of an OAuth 2.0 client are what it asks for', async () => {
    const { run, json } = createSandbox();
    const add = (name: string, ...scope: string[]) =>
      run(
        [
          ...['profile', 'add', name, '--service', 'retaia', '--url', 'http://localhost:1/api/v1'],
          ...['--client-id', 'agent', '--client-secret-stdin', ...scope],
        ],
        { input: 'client-secret' },
      );
    await add('some', '--scope', 'jobs:claim jobs:heartbeat');
    await add('any');
    const some = read(await json(['capabilities', 'some']));
    expect(some.available).toEqual([
      ...['api', 'break', 'jobs claim', 'jobs heartbeat', 'jobs list', 'jobs why'],
      ...['ls', 'watch', 'why'],
    ]);
    expect(some.notes).toMatchObject({
      'jobs submit': 'The profile asks for no jobs:submit.',
      'jobs fail': 'The profile asks for no jobs:submit.',
      'jobs exec': 'The profile asks for no jobs:submit.',
    });
    expect(read(await json(['capabilities', 'any'])).available).toContain('jobs submit');
  });

  test('are of what a variable leads to', async () => {
    const { json, run } = createSandbox();
    const env = { ONCEONLY_API_KEY: 'token' };
    expect(await json(['capabilities'], { env })).toMatchObject({
      profile: 'ONCEONLY_API_KEY',
      service: 'onceonly',
      url: 'https://api.onceonly.tech',
    });
    const both = await run(['capabilities'], { env: { ...env, ASKUI_TOKEN: 'token' } });
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('there are profiles or tokens for onceonly, askui');
    expect(await json(['capabilities'], { env: { LEASECTL_PROFILE: 'local' } })).toMatchObject({
      profile: 'local',
    });
  });

  test('of a profile that is not there are a failure', async () => {
    const { run } = createSandbox();
    expect(await run(['capabilities', 'nope'])).toMatchObject({ code: 2, stdout: '' });
  });
});
