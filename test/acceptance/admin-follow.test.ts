import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { NASTY } from '../support/hostile.ts';
import { openTerminal } from '../support/person.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { createSandbox, outcomeOf, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { addToken, type Served, startServe } from '../support/served.ts';
import { closedUrl, startStub } from '../support/stub-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

/** A command that goes on, and the lines that it has printed so far. */
function follow(sandbox: Sandbox, args: readonly string[], options?: RunOptions) {
  const child = sandbox.start(['admin', 'history', '--follow', ...args], options);
  onTestFinished(() => void child.kill('SIGKILL'));
  const outcome = outcomeOf(child);
  const [lines, notices] = [linesOf(child.stdout), linesOf(child.stderr)];
  const seen = (count: number) =>
    expect.poll(() => lines.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
  return { child, outcome, lines, notices, seen };
}

function linesOf(stream: ChildProcess['stdout']): string[] {
  const lines: string[] = [];
  if (stream) createInterface(stream).on('line', (line) => lines.push(line));
  return lines;
}

const idsIn = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).id);

/** A service with a profile that may administer it. */
async function served(sandbox: Sandbox, args: readonly string[] = [], service = createSandbox()) {
  const database = join(service.directory, 'served.db');
  const token = await addToken(database, 'root', ['admin', 'keys:write']);
  const node = await startServe(service, ['--database', database, ...args]);
  const env = { LEASECTL_URL: node.url, LEASECTL_SERVICE: 'leasectl', LEASECTL_TOKEN: token };
  const again = (): Promise<Served> =>
    startServe(service, ['--database', database, '--port', new URL(node.url).port, ...args]);
  return { node, env, again, lease: (key: string) => sandbox.json(['lease', key], { env }) };
}

describe('what happens is told as it happens', () => {
  const places: [string, (sandbox: Sandbox) => Promise<RunOptions & { flags: string[] }>][] = [
    ['in the database of this machine', async () => ({ flags: [] })],
    ['in a PostgreSQL', async () => ({ flags: ['--database', await server.createDatabase()] })],
    ['by a service', async (sandbox) => ({ flags: [], env: (await served(sandbox)).env })],
  ];

  test.each(places)('%s', async (_, place) => {
    const sandbox = createSandbox();
    const { flags, env = {} } = await place(sandbox);
    const add = (...more: string[]) =>
      sandbox.json(['admin', 'jobs', 'add', '--type', 't', ...more, ...flags], { env });
    const [first] = Object(await add());
    const { child, outcome, lines, seen } = follow(sandbox, ['--json', ...flags], { env });
    await seen(1);
    const [second] = Object(await add());
    await seen(2);
    await add('--count', '3');
    await seen(5);
    const { events } = Object(await sandbox.json(['admin', 'history', ...flags], { env }));
    expect(lines.map((line) => JSON.parse(line))).toEqual(events.toReversed());
    expect(idsIn(lines).slice(0, 2)).toEqual([first.job_id, second.job_id]);
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: null, signal: 'SIGINT', stderr: '' });
  });

  test('by a service with a certificate of its own', async () => {
    const authority = createAuthority();
    const { certFile, keyFile } = authority.issue('here', 'IP:127.0.0.1');
    const sandbox = createSandbox();
    const tls = ['--tls-cert', certFile, '--tls-key', keyFile];
    const { env } = await served(sandbox, tls);
    const add = ['profile', 'add', 'team', '--service', 'leasectl', '--url', env.LEASECTL_URL];
    const files = ['--ca-file', authority.certFile, '--token-stdin'];
    await sandbox.json([...add, ...files], { input: env.LEASECTL_TOKEN });
    await sandbox.json(['lease', 'a', '--profile', 'team']);
    const { lines, seen } = follow(sandbox, ['--json', '--profile', 'team']);
    await seen(1);
    await sandbox.json(['lease', 'b', '--profile', 'team']);
    await seen(2);
    expect(idsIn(lines)).toEqual(['a', 'b']);
  });

  test('of the past as much as is asked for, and of what is to be told', async () => {
    const sandbox = createSandbox();
    for (const key of ['a', 'b', 'c']) await sandbox.json(['lease', key]);
    const flags = ['--limit', '2', '--type', 'acquired', '--type', 'canceled', '--since', '1h'];
    const { lines, seen } = follow(sandbox, [...flags, '--no-header']);
    await seen(2);
    await sandbox.json(['extend', 'a']);
    await sandbox.json(['cancel', 'a']);
    await seen(3);
    const shown = lines.map((line) => line.split('\t').slice(1, 5));
    expect(shown).toEqual([
      ['acquired', 'key', 'b', '→ held'],
      ['acquired', 'key', 'c', '→ held'],
      ['canceled', 'key', 'a', 'held → failed'],
    ]);
  });

  test('of the past all, where it says since when', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['admin', 'jobs', 'add', '--type', 't', '--count', '2500']);
    const { lines, seen, child, outcome } = follow(sandbox, ['--json', '--since', '1h']);
    await seen(2_500);
    await sandbox.json(['lease', 'a']);
    await seen(2_501);
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ signal: 'SIGINT', stderr: '' });
    const sequences = lines.map((line) => JSON.parse(line).sequence);
    expect(sequences).toEqual(Array.from({ length: 2_501 }, (_, index) => index + 1));
  });

  test('of one lease, with one field of each event', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'a']);
    const { lines, seen } = follow(sandbox, ['a', '--field', 'type']);
    await seen(1);
    await sandbox.json(['lease', 'b']);
    await sandbox.json(['extend', 'a']);
    await seen(2);
    expect(lines).toEqual(['acquired', 'extended']);
  });
});

test('a service that is started again is followed again, and nothing is missing', async () => {
  const sandbox = createSandbox();
  const { node, env, again, lease } = await served(sandbox);
  const { lines, notices, seen, child } = follow(sandbox, ['--query', 'id'], { env });
  await lease('a');
  await seen(1);
  const begun = performance.now();
  node.kill('SIGTERM');
  expect((await node.outcome).code).toBe(0);
  expect(performance.now() - begun).toBeLessThan(4_000);
  const next = await again();
  await lease('b');
  await seen(2);
  next.kill('SIGKILL');
  await next.outcome;
  await again();
  await lease('c');
  await seen(3);
  expect(lines).toEqual(['"a"', '"b"', '"c"']);
  expect(
    notices.filter((line) => line === 'Connected again: it goes on from where it was.'),
  ).toHaveLength(2);
  expect(notices.filter((line) => line.endsWith('It is tried again.'))).toHaveLength(2);
  expect(child.exitCode).toBeNull();
});

test('a reader who has read enough ends it', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'a']);
  const { child, outcome, seen } = follow(sandbox, ['--json']);
  await seen(1);
  child.stdout?.destroy();
  await sandbox.json(['extend', 'a']);
  expect(await outcome).toMatchObject({ code: 0, signal: null, stderr: '' });
});

test.each([
  ['where nobody is there', closedUrl, 75],
  ['where nothing is told', async () => (await startStub({ status: 404 })).url, 76],
  ['where it may not', async () => (await startStub({ status: 403, body: {} })).url, 4],
])('it ends %s', async (_, urlOf, code) => {
  const env = { LEASECTL_URL: await urlOf(), LEASECTL_TOKEN: 'canary-token' };
  const failed = await createSandbox().run(
    ['admin', 'history', '--follow', '--timeout', '1s', '--json'],
    { env },
  );
  expect(failed).toMatchObject({ code, stdout: '' });
  expect(Object(JSON.parse(failed.stderr)).error.message).toBeTruthy();
});

test('what a service tells acts on nothing', async () => {
  const event = {
    ...{ sequence: 1, kind: NASTY, id: NASTY, type: NASTY, at: NASTY, fencing_token: 1 },
    ...{ version: 1, before: NASTY, after: 'x', caller: NASTY, request_id: NASTY },
    detail: { [NASTY]: NASTY },
  };
  const stream = `id: 1\nevent: position\ndata: {}\n\nevent: x\ndata: ${JSON.stringify(event)}\n\n`;
  for (const more of [[], ['--wide'], ['--json']]) {
    const stub = await startStub(
      { status: 200, headers: { 'content-type': 'text/event-stream' }, body: stream },
      { status: 200, body: { events: [{ ...event, sequence: 2 }], next: null } },
      { status: 401, body: {} },
    );
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 'canary-token' };
    const args = ['admin', 'history', '--follow', ...more];
    const { code, stdout, stderr } = await createSandbox().run(args, { env });
    expect(code).toBe(4);
    expect(stdout.split('\n')).toHaveLength(more.includes('--json') ? 3 : 4);
    const acting = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
    expect((stdout + stderr).replace(/[\n\t]/g, '')).not.toMatch(acting);
  }
});

test('no secret comes to light', async () => {
  const canary = 'canary-token-of-nobody-else';
  const event = {
    ...{ sequence: 1, kind: 'key', id: canary, type: canary, at: canary, fencing_token: 1 },
    ...{ version: 1, before: null, after: null, caller: canary, request_id: canary },
    detail: { token: canary, Authorization: `Bearer ${canary}` },
  };
  const stream = `: ${canary}\nid: ${canary}\nevent: x\ndata: ${JSON.stringify(event)}\n\n`;
  const headers = { 'content-type': 'text/event-stream', 'x-was': canary };
  const refusal = { error: { code: 'unauthorized', message: `Not ${canary}.` } };
  for (const more of [[], ['--wide'], ['--json'], ['--query', '@'], ['--field', 'caller']]) {
    const stub = await startStub(
      { status: 200, headers, body: stream },
      { status: 200, headers: { 'x-was': canary }, body: { events: [], next: null } },
      { status: 401, headers: { 'x-was': canary }, body: refusal },
    );
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: canary, LEASECTL_DEBUG: '1,http' };
    const args = ['admin', 'history', '--follow', ...more];
    const { code, stdout, stderr } = await createSandbox().run(args, { env });
    expect([code, stdout.length > 0]).toEqual([4, true]);
    expect(stderr).toContain('GET');
    expect(stdout + stderr).not.toContain(canary);
    expect(stub.seen[2]?.headers['last-event-id']).toBe(canary);
  }
});

test('people see rows in columns, and Ctrl-C ends it', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'deploy/prod']);
  const person = await openTerminal(sandbox);
  person.type('leasectl admin history --follow --utc');
  await person.sees(/\n\d\d:\d\d:\d\dZ +acquired +deploy\/prod/);
  await sandbox.json(['cancel', 'deploy/prod', '--reason', 'x'.repeat(300)]);
  await person.sees(/canceled +deploy\/prod.*error_.*…x+/);
  person.press('\u0003');
  expect(await person.code()).toBe(130);
  const [head = '', day = '', ...rows] = (await person.screen()).split('\n').slice(1, 5);
  expect(head).toMatch(/^TIME +EVENT +ID +CHANGE +DETAIL$/);
  expect(day).toMatch(/^\d{4}-\d\d-\d\d$/);
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(80);
});

test('a process that is stopped tells nothing twice', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'a']);
  const { child, lines, seen, outcome } = follow(sandbox, ['--json']);
  await seen(1);
  child.kill('SIGSTOP');
  for (let times = 0; times < 3; times += 1) await sandbox.json(['extend', 'a']);
  child.kill('SIGCONT');
  await seen(4);
  child.kill('SIGTERM');
  await outcome;
  const sequences = lines.map((line) => JSON.parse(line).sequence);
  expect(sequences).toEqual([...new Set(sequences)].toSorted((one, other) => one - other));
});
