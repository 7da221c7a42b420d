import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { addProfile, BIN, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

interface Command {
  readonly id: string;
  readonly summary?: string;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly examples?: readonly (string | { readonly command: string })[];
}

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url)), 'utf8'),
);
const commands: readonly Command[] = Object.values(manifest.commands);

const examples = commands.flatMap(({ id, examples: shown = [] }) =>
  shown.map((example) => {
    const text = typeof example === 'string' ? example : example.command;
    const command = text
      .replaceAll('<%= config.bin %>', 'leasectl')
      .replaceAll('<%= command.id %>', id.replaceAll(':', ' '));
    return { id, command };
  }),
);

/** What has to be there before a command's examples: a lease, a job, a result, or profiles. */
const PREPARED: Readonly<Record<string, (sandbox: Sandbox) => Promise<unknown>>> = {
  'jobs:claim': (sandbox) => sandbox.json(['admin', 'jobs', 'add', '--type', 'extract_facts']),
  'jobs:exec': async ({ directory, json }) => {
    await json(['admin', 'jobs', 'add', '--type', 'extract_facts']);
    writeScript(join(directory, 'extract.sh'), `echo '{"pages": 3}'`);
  },
  'runner-jobs:exec': ({ json }) => json(['admin', 'runner-jobs', 'add', '--tag', 'windows']),
  'runner-jobs:lease': ({ json }) => json(['admin', 'runner-jobs', 'add']),

  'admin:clients:list': (sandbox) => addsClient(sandbox),
  'admin:clients:remove': (sandbox) => addsClient(sandbox),
  'admin:tokens:list': async ({ json, directory }) => {
    const add = ['admin', 'tokens', 'add', 'ci', '--scope', 'admin'];
    await json(add);
    await json([...add, '--database', join(directory, 'leases.db')]);
  },
  'admin:tokens:revoke': ({ json }) => json(['admin', 'tokens', 'add', 'ci', '--scope', 'admin']),
  'admin:leases:list': ({ json }) => json(['lease', 'hello']),
  'admin:leases:show': ({ json }) => json(['lease', 'hello']),
  'admin:leases:break': ({ json }) => json(['lease', 'hello']),
  'admin:history': ({ json }) => json(['lease', 'hello']),

  break: ({ json }) => json(['lease', 'hello']),
  ls: ({ json }) => json(['lease', 'hello']),
  watch: ({ json }) => json(['lease', 'hello']),
  status: ({ json }) => json(['lease', 'hello']),
  why: ({ json }) => json(['lease', 'hello']),
  extend: ({ json }) => json(['lease', 'hello']),
  complete: ({ json }) => json(['lease', 'hello']),
  cancel: ({ json }) => json(['lease', 'hello']),
  fail: ({ json }) => json(['lease', 'hello']),
  result: async ({ json }) => {
    await json(['lease', 'hello']);
    await json(['complete', 'hello', '--result', '{"a": 1}']);
  },
  wait: async ({ json }) => {
    await json(['lease', 'hello']);
    await json(['complete', 'hello', '--result', '{"a": 1}']);
  },
  'profile:add': async ({ directory }) => {
    for (const name of ['token', 'secret']) writeFileSync(join(directory, `${name}.txt`), name);
  },
  'profile:edit': async (sandbox) => {
    writeFileSync(join(sandbox.directory, 'token.txt'), 'token');
    for (const name of ['prod', 'staging']) await addProfile(sandbox, name, 'https://example.com');
  },
  'profile:rename': (sandbox) => addProfile(sandbox, 'prod', 'https://example.com'),
  'profile:use': (sandbox) => addProfile(sandbox, 'prod', 'https://example.com'),
  'profile:remove': (sandbox) => addProfile(sandbox, 'staging', 'https://example.com'),
};

function addsClient({ json }: Sandbox): Promise<unknown> {
  return json(['admin', 'clients', 'add', 'build-agent', '--scope', 'jobs:claim']);
}

/** Claims a job, whose id is then in $JOB, and keeps its handle in job.json. */
async function claimed({ directory, json }: Sandbox): Promise<Environment> {
  await json(['admin', 'jobs', 'add', '--type', 'extract_facts']);
  const job = Object(await json(['jobs', 'claim', '--next']));
  writeFileSync(join(directory, 'job.json'), JSON.stringify(job));
  return { JOB: job.job_id };
}

/** The id of a job that nobody has, in $JOB. */
async function waiting({ json }: Sandbox): Promise<Environment> {
  const [job] = Object(await json(['jobs', 'list']));
  return { JOB: job.job_id };
}

async function leased({ directory, json }: Sandbox): Promise<Environment> {
  await json(['admin', 'runner-jobs', 'add']);
  const job = Object(await json(['runner-jobs', 'lease', '--runner-id', 'r']));
  writeFileSync(join(directory, 'job.json'), JSON.stringify(job));
  return { JOB: job.id };
}

type Environment = Readonly<Record<string, string>>;

/** What the examples take from the environment. */
const WITH_JOB: Readonly<Record<string, (sandbox: Sandbox) => Promise<Environment>>> = {
  'jobs:exec': waiting,
  'jobs:heartbeat': claimed,
  'jobs:submit': claimed,
  'jobs:fail': claimed,
  'runner-jobs:ping': leased,
  'runner-jobs:complete': leased,
  'admin:runner-jobs:cancel': leased,
  'admin:leases:show': leased,
  break: claimed,
};

/** A line that runs until it is stopped, at any port: stops it as soon as it has said something. */
function stopped(line: string): string {
  const begun = `${line.replace('serve', 'serve --port 0')} > said &`;
  return `${begun} until [ -s said ]; do sleep 0.1; done; kill $!; wait $! || [ $? = 143 ]; cat said`;
}

/** Runs a line in a shell that knows `leasectl`, as a reader who copies it would. */
async function runShown(
  { directory, env }: Sandbox,
  line: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  writeScript(join(directory, 'leasectl'), `exec '${process.execPath}' '${BIN}' "$@"`);
  const { stdout } = await promisify(execFile)('bash', ['-e', '-o', 'pipefail', '-c', line], {
    cwd: directory,
    env: { ...env, ...more, PATH: [directory, env['PATH']].join(delimiter) },
  });
  return stdout;
}

function writeScript(file: string, line: string): void {
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
}

describe('every example runs as shown', () => {
  test.each(examples)('$command', async ({ id, command }) => {
    const sandbox = createSandbox();
    await PREPARED[id]?.(sandbox);
    const env = await WITH_JOB[id]?.(sandbox);
    if (command.includes('--agent')) {
      const answer = { ok: true, allowed: true, decision: 'executed' };
      const { url } = await startStub({ status: 200, body: answer });
      await addProfile(sandbox, 'prod', url);
    }
    const stdout = await runShown(
      sandbox,
      /^(serve|watch)$/.test(id) ? stopped(command) : command,
      env,
    );
    if (!command.includes(' > ')) expect(stdout).not.toBe('');
  });
});

/** The script of the README that has this in it. */
function scriptWith(text: string): string {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const scripts = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, script = '']) => script);
  const found = scripts.find((script) => script.includes(text));
  if (found === undefined) throw new Error(`the README has no script with ${text}`);
  return found;
}

test('topics within a topic are told as what they are, not as their first command', async () => {
  const { stdout } = await createSandbox().run(['admin', '--help']);
  expect(stdout).toContain('admin leases       All leases of leasectl');
  expect(stdout).toContain('admin tokens       Access tokens of leasectl');
});

test('the worker of the README does a job, gives back one that failed, and ends without one', async () => {
  const script = scriptWith('./extract.sh');
  const sandbox = createSandbox();
  const add = ['admin', 'jobs', 'add', '--type', 'extract_facts'];
  const runWorker = (extract: string) => {
    writeScript(join(sandbox.directory, 'extract.sh'), extract);
    return runShown(sandbox, script);
  };
  expect(await runWorker('exit 9')).toBe('');
  const [job] = Object(await sandbox.json(add));
  expect(await runWorker('exit 3')).toContain('Status\tpending');
  expect(await sandbox.json(['jobs', 'list'])).toMatchObject([{ job_id: job.job_id }]);
  expect(await runWorker(`echo '{"pages": 3}'`)).toContain('Status\tcompleted');
  expect(await sandbox.json(['jobs', 'list'])).toEqual([]);
});

test('the nightly script of the README ends as the work does, and runs once', async () => {
  const script = scriptWith('./nightly.sh');
  const outcomeOf = async (sandbox: Sandbox, nightly: string) => {
    writeScript(join(sandbox.directory, 'nightly.sh'), nightly);
    return runShown(sandbox, script).then(
      (stdout) => ({ code: 0, stdout }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
    );
  };
  const good = createSandbox();
  expect(await outcomeOf(good, 'echo at work')).toEqual({ code: 0, stdout: 'at work\n' });
  expect(await outcomeOf(good, 'exit 9')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Status\tcompleted'),
  });
  const bad = createSandbox();
  expect(await outcomeOf(bad, 'exit 3')).toEqual({ code: 3, stdout: '' });
  expect(await outcomeOf(bad, 'exit 0')).toMatchObject({
    code: 8,
    stdout: expect.stringContaining('exit:3'),
  });
});

test('the CI step of the README ends as the deployment does', async () => {
  const step = scriptWith('./deploy.sh');
  const sandbox = createSandbox();
  const codeOf = async (sha: string, deploy: string) => {
    writeScript(join(sandbox.directory, 'deploy.sh'), deploy);
    const ran = runShown(sandbox, step, { GITHUB_SHA: sha });
    return ran.then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  };
  expect(await codeOf('good', 'exit 0')).toBe(0);
  expect(await codeOf('good', 'exit 9')).toBe(0);
  expect(await codeOf('bad', 'exit 3')).toBe(3);
  expect(await codeOf('bad', 'exit 0')).toBe(1);
  expect(await sandbox.json(['status', 'deploy-bad'])).toMatchObject({ error_code: 'exit:3' });
  await sandbox.json(['lease', 'deploy-held']);
  expect(await codeOf('held', 'exit 9')).toBe(0);
});

test('every command has the flags that all have, and those that ask a service theirs', () => {
  for (const { id, flags } of commands) {
    if (id === 'help') continue;
    const expected = ['json', 'no-color'];
    // These print no answer.
    if (!/(^|:)(exec|serve|watch)$/.test(id)) expected.push('field', 'query', 'utc', 'wide');
    if (!/^(profile:|(capabilities|completion|doctor|serve)$)/.test(id)) {
      expected.push('profile', 'timeout');
    }
    expect(Object.keys(flags), id).toEqual(expect.arrayContaining(expected));
  }
});

test('every command has a summary and an example', () => {
  expect(commands.length).toBeGreaterThan(10);
  for (const { id, summary, examples: shown = [] } of commands) {
    expect(summary, id).toBeTruthy();
    expect(shown.length, id).toBeGreaterThan(0);
  }
});

test.each([
  [[], 'COMMANDS'],
  [['--help'], 'COMMANDS'],
  [['help'], 'COMMANDS'],
  [['help', 'lease'], 'leasectl lease KEY'],
  [['lease', '-h'], 'leasectl lease KEY'],
  [['profile'], 'leasectl profile COMMAND'],
  [['help', 'profile', 'add'], 'leasectl profile add [NAME]'],
])('%j shows help', async (args, text) => {
  const { run } = createSandbox();
  const { code, stdout, stderr } = await run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(text);
});

test('--version tells the version of package.json', async () => {
  const { run } = createSandbox();
  const { version } = JSON.parse(
    readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
  );
  expect((await run(['--version'])).stdout).toMatch(new RegExp(`^leasectl/${version} `));
});
