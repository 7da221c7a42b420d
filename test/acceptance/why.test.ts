import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/exec-host.ts';
import { idOf } from '../support/json-machine.ts';
import { screensOf } from '../support/screens.ts';
import { createWhyMachine, type WhyMachine } from '../support/why-machine.ts';

/*
 * Each diagnosis, as it really comes about. What people see of it is in why/: to be reviewed. To write
 * it anew: npx vitest run --config test/vitest.config.ts test/acceptance/why -u
 */

async function expectScreens(machine: WhyMachine, name: string, ...args: readonly string[]) {
  const screens = await screensOf(machine, ['why', ...args]);
  // Where the machine is busy one may be renewed once more before it is killed.
  const settled = name.startsWith('poison') ? screens.replace(/^ +AGO ┆ renewed\n/gm, '') : screens;
  await expect(settled).toMatchFileSnapshot(`why/${name}.txt`);
}

test('a lease that is renewed is healthy, and others who want it are told of', async () => {
  const machine = createWhyMachine();
  await machine.holds(['exec', 'deploy', '--ttl', '6s'], 'deploy');
  expect((await machine.run(['lease', 'deploy'], { env: { USER: 'bob' } })).code).toBe(11);
  await until(async () => Object((await machine.why('deploy'))['renewals']).count > 1, 'renewals');
  expect(await machine.why('deploy')).toMatchObject({
    ...{ diagnosis: 'healthy', state: 'held', next: 'leasectl wait deploy', not_told: [] },
    holder: { is_this_machine: true, process: 'running', user: 'alice', command: 'exec' },
    renewals: { late: false, usual_interval: expect.closeTo(2, 0) },
    past: { taken: 1, ran_out: 0, failed: 0, broken: 0 },
    refused: { count: 1, callers: [{ caller: expect.stringMatching(/^bob@/), count: 1 }] },
  });
  await expectScreens(machine, 'healthy', 'deploy');
});

test('where it was taken in CI is told, and a lease by hand that nobody renews', async () => {
  const machine = createWhyMachine();
  await mkdir(join(machine.directory, '.git'));
  writeFileSync(join(machine.directory, '.git', 'HEAD'), `${'1a2b3c4d'.repeat(5)}\n`);
  const config = '[remote "origin"]\n\turl = https://user:secret@github.com/acme/app.git\n';
  writeFileSync(join(machine.directory, '.git', 'config'), config);
  const env = {
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://github.com' },
    ...{ GITHUB_REPOSITORY: 'acme/app', GITHUB_RUN_ID: '4711', GITHUB_JOB: 'deploy' },
    GITHUB_ACTOR: 'octocat',
  };
  await machine.json(['lease', 'deploy', '--ttl', '15m'], { env });
  expect(await machine.why('deploy')).toMatchObject({
    diagnosis: 'healthy',
    holder: {
      process: null,
      ci: { provider: 'GitHub Actions', job: 'deploy', actor: 'octocat' },
      repository: expect.stringContaining('github.com/acme/app'),
    },
  });
  await expectScreens(machine, 'healthy-ci', 'deploy');
});

test('a holder that is suspended is told how to go on', async () => {
  const machine = createWhyMachine();
  const child = await machine.holds(['exec', 'deploy', '--ttl', '30s'], 'deploy');
  child.kill('SIGSTOP');
  await machine.until('suspended', 'deploy');
  expect(await machine.why('deploy')).toMatchObject({
    next: `kill -CONT ${child.pid}`,
  });
  await expectScreens(machine, 'suspended', 'deploy');
  child.kill('SIGCONT');
  await machine.until('healthy', 'deploy');
  child.kill('SIGTERM');
});

test('a holder that was killed is gone; then its lease is free', async () => {
  const machine = createWhyMachine();
  const child = await machine.holds(['exec', 'deploy', '--ttl', '9s'], 'deploy');
  child.kill('SIGKILL');
  await machine.until('gone', 'deploy');
  await expectScreens(machine, 'gone', 'deploy');
  await machine.until('expired', 'deploy');
  expect(await machine.why('deploy')).toMatchObject({
    ...{ state: 'expired', next: 'leasectl lease deploy', past: { taken: 1, ran_out: 1 } },
  });
  await expectScreens(machine, 'expired', 'deploy');
});

test('a lease that was broken is free', async () => {
  const machine = createWhyMachine();
  await machine.json(['lease', 'deploy']);
  await machine.json(['admin', 'leases', 'break', 'deploy', '--reason', 'gone']);
  await machine.until('broken', 'deploy');
  await expectScreens(machine, 'broken', 'deploy');
});

test('what is finished is, however that was', async () => {
  const machine = createWhyMachine();
  await machine.run(['exec', 'deploy', '--', 'sh', '-c', 'exit 3']);
  await machine.until('finished', 'deploy');
  await expectScreens(machine, 'finished-failed', 'deploy');
  await machine.json(['lease', 'report']);
  await machine.json(['complete', 'report', '--result', '{}']);
  await machine.until('finished', 'report');
  await expectScreens(machine, 'finished-completed', 'report');
  await machine.json(['lease', 'backup']);
  await machine.json(['cancel', 'backup', '--reason', 'too late']);
  expect(await machine.why('backup')).toMatchObject({ error_code: 'canceled:too late' });
  await expectScreens(machine, 'finished-canceled', 'backup');
});

test('a job waits; when every try fails it is poison', async () => {
  const machine = createWhyMachine();
  const job = idOf(await machine.json(['admin', 'jobs', 'add', '--type', 'extract_facts']));
  await machine.until('waiting', job);
  await expectScreens(machine, 'waiting', job);
  const fails = ['--retryable-exit', '3', '--', 'sh', '-c', 'exit 3'];
  for (const _ of [1, 2, 3]) {
    expect((await machine.run(['jobs', 'exec', job, ...fails])).code).toBe(3);
  }
  expect(await machine.why(job)).toMatchObject({
    ...{ diagnosis: 'poison', failed_tries: 3, max_tries: null, state: 'waiting' },
    past: { taken: 3, failed: 3, failed_in_a_row: 3 },
  });
  await expectScreens(machine, 'poison', job);
});

test('a job whose runner dies at every try is poison', async () => {
  const machine = createWhyMachine();
  const added = ['admin', 'runner-jobs', 'add', '--ttl', '2s', '--max-tries', '3'];
  const job = idOf(await machine.json(added));
  for (const _ of [1, 2, 3]) {
    const runner = ['runner-jobs', 'exec', '--runner-id', 'runner-1'];
    const child = await machine.holds(runner, job);
    child.kill('SIGKILL');
    await until(async () => (await machine.why(job))['state'] !== 'held', 'its end');
  }
  expect(await machine.why(job)).toMatchObject({
    ...{ diagnosis: 'poison', failed_tries: 3, max_tries: 3, state: 'expired' },
    past: { taken: 3, ran_out: 3 },
  });
  await expectScreens(machine, 'poison-tried-out', job);
});

test('a job that is to be canceled is about to stop', async () => {
  const machine = createWhyMachine();
  const job = idOf(await machine.json(['admin', 'runner-jobs', 'add', '--ttl', '60s']));
  await machine.json(['runner-jobs', 'lease', '--runner-id', 'runner-1']);
  await machine.json(['admin', 'runner-jobs', 'cancel', job]);
  await machine.until('stopping', job);
  await expectScreens(machine, 'stopping', job);
});

test('what nobody knows is told as a failure, with what may have been meant', async () => {
  const machine = createWhyMachine();
  await machine.json(['lease', 'deploy-prod', '--ttl', '15m']);
  await machine.json(['lease', 'deploy-test', '--ttl', '15m'], {
    env: { XDG_STATE_HOME: join(machine.directory, 'another') },
  });
  const told = await machine.run(['why', 'deploy-pord', '--json']);
  expect(told).toMatchObject({ code: 3, stderr: '' });
  expect(JSON.parse(told.stdout)).toMatchObject({
    ...{ diagnosis: 'never_seen', state: 'never_seen', did_you_mean: ['deploy-prod'] },
    next: 'leasectl why deploy-prod',
  });
  expect(await machine.why('deploy-tets')).toMatchObject({ did_you_mean: ['deploy-test'] });
  await expectScreens(machine, 'never-seen', 'deploy-pord');
});
