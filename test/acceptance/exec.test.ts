import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createExecHost } from '../support/exec-host.ts';
import { script } from '../support/exec-journal.ts';
import { SERVICES, stored } from '../support/exec-services.ts';

describe.each(SERVICES)('exec on $name', (service) => {
  test.each([
    ['exit 0', 0, 'complete'],
    ['exit 3', 3, service.failed],
    ['exit 255', 255, service.failed.replace('exit:3', 'exit:255')],
    ['kill -KILL $$', 137, service.killed],
  ])('ends as its command does: %s', async (line, code, ending) => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const outcome = await host.run([...words, '--', 'sh', '-c', line]);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: '' });
    expect(stored(host, id)).toMatchObject({ ending, leases: 1 });
    expect(host.held()).toEqual([]);
    expect(host.workFiles()).toEqual([]);
  });

  test('that cannot run its command leases nothing: 127 and 126', async () => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const before = stored(host, id);
    const [plain, directory] = [host.file('plain'), host.file('directory')];
    writeFileSync(plain, '#!/bin/sh\n', { mode: 0o600 });
    mkdirSync(directory);
    for (const [file, code] of [
      ['no-such-command', 127],
      [host.file('no-such-file'), 127],
      [`${plain}/below`, 127],
      [plain, 126],
      [directory, 126],
    ] as const) {
      const outcome = await host.run([...words, '--', file]);
      expect(outcome, file).toMatchObject({ code, stdout: '' });
      expect(outcome.stderr).toMatch(/^Error: .*\nHint: .*\n$/);
    }
    expect(stored(host, id)).toEqual(before);
    expect(host.workFiles()).toEqual([]);
  });

  test.each([
    ['no -- at all', ['true'], 'There is no -- before the command.'],
    ['nothing behind it', ['--'], 'There is no command after --.'],
    ['an empty command', ['--', ''], 'The command is empty.'],
    ['an empty line for a shell', ['--shell', '--', ' '], 'The command is empty.'],
    ['two words for a shell', ['--shell', '--', 'echo', 'a'], 'With --shell the command is one'],
    ['an exit code too large', ['--conflict-exit-code', '256', '--', 'true'], 'is no exit code'],
    ['an exit code that is none', ['--conflict-exit-code', 'x', '--', 'true'], 'is no exit code'],
    ['a grace that is none', ['--grace', 'soon', '--', 'true'], '--grace'],
    ['a wait that is none', ['--wait', '', '--', 'true'], '--wait is empty'],
    ['an unwritable status file', ['--status-file', '/no/such', '--', 'true'], '--status-file'],
  ])('is used wrongly with %s: 2, and leases nothing', async (_, flags, message) => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const before = stored(host, id);
    const outcome = await host.run([...words, ...flags]);
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toContain(message);
    expect(stored(host, id)).toEqual(before);
  });

  test('passes every word on as it is, and runs a line of shell where it is asked to', async () => {
    const host = createExecHost();
    const { words } = await service.add(host);
    const args = ['--json', '--', '', 'a  b', '$HOME', '-x', '--ttl=1s', 'é\n'];
    const plain = await host.run([...words, '--', 'printf', '[%s]', ...args]);
    expect(plain).toMatchObject({ code: 0, stdout: args.map((word) => `[${word}]`).join('') });
    const line = 'echo $((6 * 7)) && exit 9';
    const other = await service.add(host);
    const again = other.words.map((word) => (word === 'k' ? 'other' : word));
    expect(await host.run([...again, '--shell', '--', line])).toMatchObject({
      code: 9,
      stdout: '42\n',
    });
  });
});

describe('a lease that is not to be had', () => {
  const conflict = ['--conflict-exit-code'];

  test('because somebody else holds the key: 11, or another code', async () => {
    const host = createExecHost();
    await host.json(['lease', 'k']);
    const before = stored(host, 'k');
    const exec = (...flags: string[]) => host.run(['exec', 'k', ...flags, '--', 'echo', 'ran']);
    const plain = await exec();
    expect(plain).toMatchObject({ code: 11, stdout: '' });
    expect(plain.stderr).toContain('k is held by this machine already');
    for (const code of [0, 99]) {
      expect(await exec(...conflict, String(code))).toMatchObject({ code, stdout: '' });
    }
    const json = await exec('--json');
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'held', retryable: true } });
    expect(await exec('--wait', '1s')).toMatchObject({ code: 10, stdout: '' });
    expect(await exec('--wait', '1s', ...conflict, '0')).toMatchObject({ code: 0, stdout: '' });
    expect(stored(host, 'k')).toEqual(before);
    expect(host.held()).toEqual(['k']);
  });

  test('because the key is finished: 7, whatever other code is given', async () => {
    const host = createExecHost();
    expect((await host.run(['exec', 'k', '--', 'false'])).code).toBe(1);
    const again = ['exec', 'k', ...conflict, '0', '--wait', '1m', '--', 'echo', 'ran'];
    const outcome = await host.run(again);
    expect(outcome).toMatchObject({ code: 7, stdout: '' });
    expect(outcome.stderr).toContain('k is already finished (failed, exit:1).');
  });

  test('because somebody else holds the job: 11; because there is none: 12', async () => {
    const host = createExecHost();
    const [, jobs, runners] = SERVICES;
    const job = Object(await jobs?.add(host));
    const exec = (words: string[], ...flags: string[]) =>
      host.run([...words, ...flags, '--', 'echo', 'ran']);
    await host.json(['jobs', 'claim', job.id]);
    expect(await exec(job.words)).toMatchObject({ code: 11, stdout: '' });
    expect(await exec(job.words, ...conflict, '0')).toMatchObject({ code: 0, stdout: '' });
    const next = ['jobs', 'exec', '--next'];
    expect(await exec(next)).toMatchObject({ code: 12, stdout: '' });
    expect(await exec(next, ...conflict, '42')).toMatchObject({ code: 42, stdout: '' });
    expect(await exec(next, '--wait', '1s')).toMatchObject({ code: 10, stdout: '' });
    const runnerJob = Object(await runners?.add(host));
    await host.json(['runner-jobs', 'lease', '--runner-id', 'x']);
    expect(await exec(runnerJob.words)).toMatchObject({ code: 12, stdout: '' });
    expect(await exec(runnerJob.words, '--wait', '1s')).toMatchObject({ code: 10, stdout: '' });
  });

  test('is no reason to count what the command itself ends with as one', async () => {
    const host = createExecHost();
    for (const code of [7, 11, 12, 14, 75]) {
      const words = ['exec', `k${code}`, ...conflict, '0', '--', 'sh', '-c', `exit ${code}`];
      expect((await host.run(words)).code).toBe(code);
    }
  });
});

describe('a job', () => {
  test.each([
    ['exit 75', 75, ['--retryable-exit', '75']],
    ['kill -KILL $$', 137, ['--retryable-exit', '75', '--retryable-exit', '137']],
  ])('goes back to the others after %s, if that may pass', async (line, code, flags) => {
    const host = createExecHost();
    const { id, words } = Object(await SERVICES[1]?.add(host));
    const outcome = await host.run([...words, ...flags, '--', 'sh', '-c', line]);
    expect(outcome.code).toBe(code);
    expect(await host.json(['jobs', 'list'])).toMatchObject([{ job_id: id, status: 'pending' }]);
    const again = await host.run(['jobs', 'exec', '--next', ...flags, '--', 'sh', '-c', 'exit 3']);
    expect(again.code).toBe(3);
    expect(await host.json(['jobs', 'list'])).toEqual([]);
    expect(stored(host, id)).toMatchObject({ ending: 'fail exit:3', leases: 2 });
    expect(host.held()).toEqual([]);
  });

  test('is the oldest that passes the filter', async () => {
    const host = createExecHost();
    for (const type of ['other', 'wanted', 'wanted']) {
      await host.json(['admin', 'jobs', 'add', '--type', type]);
    }
    const [, wanted] = Object(await host.json(['jobs', 'list']));
    const next = ['jobs', 'exec', '--next', '--type', 'wanted'];
    const { stdout } = await host.run([...next, '--shell', '--', 'echo $LEASECTL_JOB_ID']);
    expect(stdout.trim()).toBe(wanted.job_id);
    expect(stored(host, wanted.job_id)).toMatchObject({ ending: 'complete' });
    expect(await host.json(['jobs', 'list'])).toHaveLength(2);
  });

  test('for a runner that is to be canceled: its command is stopped, 8', async () => {
    const host = createExecHost();
    const { id, words } = Object(await SERVICES[2]?.add(host, 3));
    const line = 'trap "echo stopped; exit 5" TERM; echo ready; tick child';
    const exec = host.leasectl([...words, '--', ...script(line)]);
    await exec.says(/ready/);
    await host.json(['admin', 'runner-jobs', 'cancel', id]);
    expect(await exec.outcome).toMatchObject({
      code: 8,
      stdout: 'ready\nstopped\n',
      stderr: expect.stringContaining(`job ${id} was canceled: the command was stopped.`),
    });
    expect(stored(host, id)).toMatchObject({ ending: 'cancel canceled' });
    expect(host.held()).toEqual([]);
  });
});
