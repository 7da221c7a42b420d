import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import Database from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createExecHost, until } from '../support/exec-host.ts';
import { stored } from '../support/exec-services.ts';
import { hosted, hostedExec, KINDS, resultFor } from '../support/exec-stub.ts';
import type { Reply } from '../support/stub-server.ts';

/** The same reply, so many milliseconds later. */
const late =
  (milliseconds: number, reply: Reply): Reply =>
  (request, response) => {
    setTimeout(() => {
      if (typeof reply === 'function') return reply(request, response);
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
    }, milliseconds);
  };

const repliesOf = (name: string, ttl: number) => {
  const found = hosted(ttl).find((it) => it.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};

describe.each(KINDS)('$name that is slow', ({ name, keep, finish }) => {
  test('keeps the lease, and gets one request to record the end', async () => {
    const { replies } = repliesOf(name, 7);
    const { stub, exec } = await hostedExec(name, 7, {
      [keep]: late(700, replies[keep] ?? { status: 500 }),
      [finish]: late(1_500, replies[finish] ?? { status: 500 }),
    });
    const line = `sleep 5.5; ${resultFor(name)}`;
    expect(await exec([], 'sh', '-c', line).outcome).toMatchObject({ code: 0, stderr: '' });
    expect(stub.to(keep).length).toBeGreaterThan(1);
    expect(stub.to(finish)).toHaveLength(1);
  });
});

describe.each([
  ['retaia', {}],
  ['askui', { cancel_job: false }],
] as const)('%s that does not say until when', (name, answer) => {
  test('is asked again as soon as before', async () => {
    const { keep } = repliesOf(name, 3);
    const { stub, exec } = await hostedExec(name, 3, { [keep]: { status: 200, body: answer } });
    const running = exec([], 'sh', '-c', `sleep 3; ${resultFor(name)}`);
    expect(await running.outcome).toMatchObject({ code: 0 });
    expect(stub.to(keep).length).toBeGreaterThan(1);
  });
});

test('an end waits for the fencing token that a heartbeat under way brings', async () => {
  const { replies } = repliesOf('retaia', 9);
  const heartbeat = late(1_000, replies['heartbeat'] ?? { status: 500 });
  const { stub, exec } = await hostedExec('retaia', 9, { heartbeat });
  const running = exec([], 'sh', '-c', `sleep 3.2; ${resultFor('retaia')}`);
  expect(await running.outcome).toMatchObject({ code: 0, stderr: '' });
  const [submit] = stub.to('submit');
  expect(JSON.parse(submit?.body ?? '')).toMatchObject({ fencing_token: 6 });
});

describe('whoever is slow to read', () => {
  test('gets all that a command printed, and so does the result', async () => {
    const host = createExecHost();
    const line = 'leasectl exec k --result-from stdout -- seq 1 40000 | (sleep 2; wc -c)';
    expect((await host.bash(line).outcome).stdout.trim()).toBe('228894');
    const { result } = Object(await host.json(['result', 'k']));
    expect(result.stdout).toHaveLength(228_893);
  });

  test.each([
    ['events', ['--json']],
    ['messages', []],
  ])('of %s holds up neither the lease nor a signal', async (_, flags) => {
    const host = createExecHost();
    const fifo = host.file('stderr');
    const made = spawn('mkfifo', [fifo]);
    await new Promise((resolve) => made.on('close', resolve));
    // Both ends, so that to open it waits for nobody; nobody reads.
    const unread = openSync(fifo, 'r+');
    onTestFinished(() => closeSync(unread));
    const words = ['exec', 'k', '--ttl', '2s', ...flags, '--', 'sh', '-c'];
    const fill = 'head -c 200000 /dev/zero >&2 & sleep 3; echo kept; sleep 60';
    const running = host.leasectl([...words, fill], { stdio: ['ignore', 'pipe', unread] });
    await running.says(/kept/);
    const begun = performance.now();
    running.kill('SIGTERM');
    expect(await running.outcome).toMatchObject({ code: 143 });
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled:SIGTERM' });
  });
});

test('what a daemon goes on printing does not hold up the end', async () => {
  const host = createExecHost();
  const daemon = 'for i in $(seq 60); do echo x; sleep .1; done';
  const line = `setsid sh -c '${daemon}' & echo hi`;
  const words = ['exec', 'k', '--result-from', 'stdout', '--shell', '--', line];
  const begun = performance.now();
  const running = host.leasectl(words);
  await new Promise((resolve) => running.child.on('exit', resolve));
  expect(running.child.exitCode).toBe(0);
  expect(performance.now() - begun).toBeLessThan(5_000);
  const { result } = Object(stored(host, 'k'));
  expect(result.stdout).toMatch(/^(hi|x)(\n|$)/);
  await running.outcome;
});

test('a ledger that another process holds does not hold up the lease', async () => {
  const host = createExecHost();
  const running = host.leasectl([
    'exec',
    'k',
    '--ttl',
    '2s',
    '--shell',
    '--',
    'echo runs; sleep 4',
  ]);
  await running.says(/runs/);
  const db = new Database(host.ledgerFile);
  db.exec('BEGIN EXCLUSIVE');
  onTestFinished(() => {
    db.close();
  });
  const { code } = await running.outcome;
  db.exec('ROLLBACK');
  expect(code).toBe(0);
  expect(stored(host, 'k')).toMatchObject({ ending: 'complete' });
});

test.each([
  ['#!/nonexistent/interpreter\n', 'needs "/nonexistent/interpreter", which cannot be run.'],
  ['#! /tmp\n', 'needs "/tmp", which cannot be run.'],
  ['#!/bin/sh\r\necho ran\r\n', 'ends in \\r.'],
  ['#!/usr/bin/env bash\r\necho ran\r\n', 'ends in \\r.'],
])('a script that begins with %j is not begun', async (text, message) => {
  const host = createExecHost();
  const script = host.file('script');
  writeFileSync(script, text, { mode: 0o700 });
  const { code, stderr } = await host.run(['exec', 'k', '--', script]);
  expect(code).toBe(126);
  expect(stderr).toContain(message);
  expect((await host.run(['status', 'k'])).code).toBe(3);
});

test('nothing is resumed where a command still runs', async () => {
  const host = createExecHost();
  const line =
    'echo "{\\"part\\": 1}" > "$LEASECTL_RESULT_FILE"; echo runs; read -r line; echo "{}" > "$LEASECTL_RESULT_FILE"';
  const running = host.bash(`sleep 3 | leasectl exec k --shell -- '${line}'`);
  await until(() => running.stdout().includes('runs'), 'the command runs');
  const { code, stderr } = await host.run(['complete', 'k', '--resume']);
  expect(code).toBe(2);
  expect(stderr).toContain('Nothing that exec did for k waits to be finished here.');
  expect((await running.outcome).code).toBe(0);
  expect(stored(host, 'k')).toMatchObject({ ending: 'complete', result: {} });
});
