import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STATE } from '../support/hosted-answers.ts';
import { addProfile, BIN, createSandbox, outcomeOf } from '../support/sandbox.ts';
import { startLastingStub } from '../support/stub-server.ts';

/** A sandbox whose commands are run in a directory below it. */
function createProject() {
  const sandbox = createSandbox();
  const path = (...parts: string[]) => join(sandbox.directory, ...parts);
  mkdirSync(path('repo', 'deep', 'deeper'), { recursive: true });
  const write = (content: unknown, ...parts: string[]) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(path(...parts, '.leasectl.json'), text);
  };
  const runIn = (directory: string, args: readonly string[], env = {}) => {
    const options = { cwd: directory, env: { ...sandbox.env, ...env } };
    const child = spawn(process.execPath, [BIN, ...args], options);
    child.stdin.end();
    return outcomeOf(child);
  };
  const jsonIn = async (directory: string, args: readonly string[], env = {}) => {
    const { code, stdout, stderr } = await runIn(directory, [...args, '--json'], env);
    if (code !== 0) throw new Error(`leasectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return Object(JSON.parse(stdout));
  };
  return { ...sandbox, path, write, runIn, jsonIn };
}

const PREFIX = { key_prefix: 'web-' };

describe('where a project file is looked for', () => {
  const keyOf = async ({ jsonIn, path }: ReturnType<typeof createProject>, ...parts: string[]) =>
    (await jsonIn(path(...parts), ['lease', 'k'])).key;

  test('upwards, to the root of the repository', async () => {
    const project = createProject();
    mkdirSync(project.path('repo', '.git'));
    project.write(PREFIX, 'repo');
    project.write({ key_prefix: 'nearer-' }, 'repo', 'deep');
    expect(await keyOf(project, 'repo', 'deep', 'deeper')).toBe('nearer-k');
    expect(await keyOf(project, 'repo')).toBe('web-k');
    rmSync(project.path('repo', 'deep', '.leasectl.json'));
    const { jsonIn, path } = project;
    expect((await jsonIn(path('repo', 'deep'), ['status', 'k'])).key).toBe('web-k');
  });

  test('and of a work tree, whose .git is a file', async () => {
    const project = createProject();
    const repo = project.path('repo');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], {
        cwd: repo,
        env: project.env,
        stdio: 'ignore',
      });
    git('init');
    git('commit', '--allow-empty', '-m', 'x');
    git('worktree', 'add', project.path('tree'));
    mkdirSync(project.path('tree', 'deep'));
    // Above the work tree, and in the repository that it belongs to: not its own.
    project.write({ key_prefix: 'above-' });
    project.write({ key_prefix: 'main-' }, 'repo');
    expect(await keyOf(project, 'tree', 'deep')).toBe('k');
    project.write(PREFIX, 'tree');
    expect(await keyOf(project, 'tree', 'deep')).toBe('web-k');
  });

  test('not beyond the root', async () => {
    const project = createProject();
    mkdirSync(project.path('repo', '.git'));
    project.write(PREFIX);
    expect(await keyOf(project, 'repo', 'deep')).toBe('k');
  });

  test('outside of a repository only where one is', async () => {
    const project = createProject();
    project.write(PREFIX, 'repo');
    expect(await keyOf(project, 'repo', 'deep')).toBe('k');
    expect(await keyOf(project, 'repo')).toBe('web-k');
  });

  test('nowhere, where the directory was removed', async () => {
    const { path, directory, env } = createProject();
    const leasectl = `'${process.execPath}' '${BIN}'`;
    const gone = async (args: string) => {
      mkdirSync(path('gone'));
      const line = `cd gone && rmdir ../gone && ${leasectl} ${args}`;
      return outcomeOf(spawn('bash', ['-c', line], { cwd: directory, env }));
    };
    expect(await gone('lease k')).toMatchObject({ code: 0, stderr: '' });
    const relative = await gone('profile add p --service onceonly --ca-file ca.pem');
    expect(relative.code).toBe(2);
    expect(relative.stderr).toContain('The directory that this is run in does not exist any more.');
  });
});

describe('a project file that is no good is named, and nothing is done', () => {
  test.each([
    ['{\n  "key_prefix": 7\n}', ':2:17 has no usable "key_prefix".'],
    ['{\n  "key_prefix" "x"\n}', ':2:16 is not valid JSON (ColonExpected).'],
    ['', ':1:1 is not valid JSON'],
    ['[]', ':1:1 has no usable "content".'],
    ['{\n  "token": "canary"\n}', ':2:12 has an unknown "token".'],
    ['{"url": "https://evil.example"}', ':1:9 has an unknown "url".'],
    ['{"profiles": {"onceonly": {"url": "x"}}}', ' has no usable "profiles.onceonly".'],
    ['{"profiles": {"other": "x"}}', ' has an unknown "profiles.other".'],
    ['{"ttl": {"lease": 60}}', ' has no usable "ttl.lease".'],
    ['{"ttl": {"jobs": "60"}}', ' has an unknown "ttl.jobs".'],
    ['{"ttl": {"lease": "soon"}}', 'is no usable duration: "soon".'],
    ['{"ttl": {"lease": "99d"}}', 'is no usable duration: "99d".'],
    [`{"key_prefix": "${'x'.repeat(70_000)}"}`, 'has more than 64 kB.'],
  ])('%.40s', async (content, message) => {
    const { runIn, path, write } = createProject();
    write(content, 'repo');
    const { code, stdout, stderr } = await runIn(path('repo'), ['lease', 'k']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(path('repo', '.leasectl.json'));
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('canary');
    // What asks no service needs none.
    expect((await runIn(path('repo'), ['profile', 'list'])).code).toBe(0);
  });

  test('a link to what never ends', async () => {
    const { runIn, path } = createProject();
    symlinkSync('/dev/zero', path('repo', '.leasectl.json'));
    const { code, stderr } = await runIn(path('repo'), ['lease', 'k']);
    expect(code).toBe(2);
    expect(stderr).toContain('is no ordinary file');
  });
});

describe('what a project says', () => {
  test('every command with a key puts the prefix before it, once', async () => {
    const { jsonIn, runIn, path, write, json } = createProject();
    write(PREFIX, 'repo');
    const inRepo = (...args: string[]) => jsonIn(path('repo'), args);
    expect(await inRepo('lease', 'a')).toMatchObject({ key: 'web-a' });
    for (const args of [
      ['status', 'web-a'],
      ['extend', 'a'],
      ['complete', 'a', '--result', '{}'],
      ['result', 'a'],
      ['wait', 'a'],
      ['run', 'b'],
      ['cancel', 'b'],
      ['lease', 'c'],
      ['fail', 'c', '--error-code', 'x'],
    ]) {
      const key = `web-${args[1]?.replace('web-', '')}`;
      expect(await inRepo(...args), args.join(' ')).toMatchObject({ key });
    }
    const printed = ['exec', 'd', '--', 'sh', '-c', 'echo "$LEASECTL_KEY"'];
    expect(await runIn(path('repo'), printed)).toMatchObject({ code: 0, stdout: 'web-d\n' });
    expect(await json(['status', 'web-d'])).toMatchObject({ status: 'completed' });
  });

  test('its TTLs are those of the commands that are given none', async () => {
    const { jsonIn, runIn, path, write } = createProject();
    write({ ttl: { lease: '5m', run: '6m', extend: '7m', exec: '90s' } }, 'repo');
    const inRepo = (...args: string[]) => jsonIn(path('repo'), args);
    expect(await inRepo('lease', 'a')).toMatchObject({ ttl: 300 });
    expect(await inRepo('lease', 'b', '--ttl', '1m')).toMatchObject({ ttl: 60 });
    expect(await inRepo('run', 'c')).toMatchObject({ ttl: 360 });
    expect(await inRepo('extend', 'a')).toMatchObject({ ttl: 420 });
    const expiry = ['exec', 'd', '--', 'sh', '-c', 'echo "$LEASECTL_EXPIRES_AT"'];
    const { stdout } = await runIn(path('repo'), expiry);
    const left = Date.parse(stdout.trim()) - Date.now();
    expect(left).toBeGreaterThan(60_000);
    expect(left).toBeLessThan(91_000);
    // Where no key is leased there is none.
    const tool = await runIn(path('repo'), ['run', '--agent', 'a', '--tool', 't']);
    expect(tool.stderr).toContain('runs no tools');
  });

  test('its profile is used, unless one is named', async () => {
    const project = createProject();
    const { runIn, jsonIn, path, write } = project;
    const body = { ...STATE, status: 'completed' };
    const [first, second] = [
      await startLastingStub({ status: 200, body }),
      await startLastingStub({ status: 200, body }),
    ];
    await addProfile(project, 'first', first.url);
    await addProfile(project, 'second', second.url);
    write({ profiles: { onceonly: 'second' } }, 'repo');
    const status = ['status', 'k'];
    await jsonIn(path('repo'), status);
    expect([first.seen.length, second.seen.length]).toEqual([0, 1]);
    await jsonIn(path('repo'), [...status, '--profile', 'first']);
    await jsonIn(path('repo'), status, { LEASECTL_PROFILE: 'first' });
    await jsonIn(path(), status);
    expect([first.seen.length, second.seen.length]).toEqual([3, 1]);
    write({ profiles: { onceonly: 'local' } }, 'repo');
    expect((await runIn(path('repo'), status)).code).toBe(3);
    write({ profiles: { onceonly: 'nope' } }, 'repo');
    const missing = await runIn(path('repo'), status);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('There is no profile nope, which ');
    expect(missing.stderr).toContain('leasectl profile add nope --service onceonly');
    write({ profiles: { onceonly: '../../etc/passwd' } }, 'repo');
    expect((await runIn(path('repo'), status)).code).toBe(2);
  });

  test('its file may go while nobody looks', async () => {
    const { jsonIn, path, write } = createProject();
    write(PREFIX, 'repo');
    rmSync(path('repo', '.leasectl.json'));
    expect(await jsonIn(path('repo'), ['lease', 'k'])).toMatchObject({ key: 'k' });
  });
});

test('the README shows a project file, and what a command goes by with it', async () => {
  const project = createProject();
  const { runIn, path, write } = project;
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, file = ''] = /```json\n(\{\n {2}"profiles".*?)```/s.exec(readme) ?? [];
  const [, table = ''] = /\$ leasectl profile show --resolve lease\n(.*?)```/s.exec(readme) ?? [];
  write(file, 'repo');
  await addProfile(project, 'prod', 'https://api.onceonly.tech', 'canary_0123456789_44d1');
  const { code, stdout } = await runIn(path('repo'), ['profile', 'show', '--resolve', 'lease']);
  expect(code).toBe(0);
  const shown = stdout
    .replaceAll(path('repo'), '/home/me/shop')
    .replace('file …', 'keyring …')
    .split('\n');
  expect(shown.map((line) => line.split('\t'))).toEqual(
    table.split('\n').map((line) => line.split(/ {2,}/)),
  );
});

test('its keys are meant, and no others, where leases are looked into and broken', async () => {
  const { jsonIn, path, write } = createProject();
  await jsonIn(path(), ['lease', 'k']);
  write(PREFIX, 'repo');
  const inRepo = (...args: string[]) => jsonIn(path('repo'), args);
  await inRepo('lease', 'k');
  expect(await inRepo('why', 'k')).toMatchObject({ id: 'web-k', diagnosis: 'healthy' });
  const broken = await inRepo('break', 'k', '--reason', 'r', '--force', '--yes');
  expect(broken).toMatchObject({ id: 'web-k', outcome: 'broken' });
  expect(await jsonIn(path(), ['status', 'k'])).toMatchObject({ status: 'in_progress' });
});
