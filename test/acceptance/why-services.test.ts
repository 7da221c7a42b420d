import { expect, test } from 'vitest';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { refusal, STATE } from '../support/hosted-answers.ts';
import { createRandom } from '../support/random.ts';
import { addProfile } from '../support/sandbox.ts';
import { screensOf } from '../support/screens.ts';
import { startServe } from '../support/served.ts';
import { startLastingStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';
import { createWhyMachine, type WhyMachine } from '../support/why-machine.ts';

/*
 * What is found out over a network, and of services that tell less. As why.test.ts.
 */

async function expectScreens(machine: WhyMachine, name: string, ...args: readonly string[]) {
  const screens = await screensOf(machine, ['why', ...args]);
  await expect(screens).toMatchFileSnapshot(`why/${name}.txt`);
}

test('a holder whose network is lost is late, though its process runs', async () => {
  const team = await startTeamService();
  const machine = createWhyMachine();
  let isCut = false;
  const proxy = await startFaultProxy({
    target: team.url,
    random: createRandom(1),
    probability: () => (isCut ? 1 : 0),
    freeze: 0,
    faults: () => ['reset'],
  });
  const token = await team.token('deployer', 'keys:read', 'keys:write', 'admin');
  await addProfile(machine, 'team', team.url, token, 'leasectl');
  await addProfile(machine, 'shaky', proxy.url, token, 'leasectl');
  const exec = ['exec', 'deploy', '--ttl', '15s', '--grace', '1s', '--profile', 'shaky'];
  await machine.holds(exec, 'deploy');
  isCut = true;
  await machine.until('late', 'deploy', '--profile', 'team');
  await expectScreens(machine, 'late', 'deploy', '--profile', 'team');
  expect(await machine.why('deploy', '--profile', 'team')).toMatchObject({
    ...{ diagnosis: 'late', next: 'leasectl watch deploy --profile team' },
    holder: { name: 'deployer', process: 'running', is_this_machine: false },
    renewals: { late: true },
  });
});

test('of a service that is gone this machine tells what it knows, with exit code 75', async () => {
  const machine = createWhyMachine();
  const served = await startServe(machine);
  await machine.json(['profile', 'add', 'team', '--service', 'leasectl', '--url', served.url]);
  await machine.json(['lease', 'deploy', '--ttl', '15m']);
  served.kill('SIGKILL');
  await served.outcome;
  const { code, stdout, stderr } = await machine.run([
    'why',
    'deploy',
    '--timeout',
    '1s',
    '--json',
  ]);
  expect(code).toBe(75);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'unavailable', retryable: true } });
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ diagnosis: 'unreachable', state: 'held', next: 'leasectl doctor team' },
    holder: { is_this_machine: true, command: 'lease' },
  });
  await expectScreens(machine, 'unreachable', 'deploy', '--timeout', '1s');
  const other = await machine.run(['why', 'another', '--timeout', '1s', '--json']);
  expect(other).toMatchObject({ code: 75, stdout: '' });
});

test('without the scope for the administration less is told, and that it is needed', async () => {
  const team = await startTeamService();
  const machine = createWhyMachine();
  const token = await team.token('agent', 'keys:read', 'keys:write');
  await addProfile(machine, 'team', team.url, token, 'leasectl');
  await machine.json(['lease', 'deploy', '--ttl', '15m']);
  expect(await machine.why('deploy')).toMatchObject({
    ...{ diagnosis: 'healthy', past: null, refused: null, history: null },
    holder: { is_this_machine: true },
    not_told: ['history'],
  });
  await expectScreens(machine, 'no-scope', 'deploy');
});

test('OnceOnly tells that it is held, until when, and whether by this machine', async () => {
  const machine = createWhyMachine();
  const { url } = await startLastingStub((_, response) => {
    response.writeHead(200, { date: new Date().toUTCString() });
    response.end(JSON.stringify({ ...STATE, key: 'deploy', version: 7 }));
  });
  await addProfile(machine, 'prod', url);
  const told = await machine.why('deploy');
  expect(told).toMatchObject({
    ...{ diagnosis: 'healthy', service: 'onceonly', state: 'held', version: 7, history: null },
    not_told: ['holder', 'since', 'renewals', 'history'],
  });
  expect(JSON.stringify(told)).not.toContain(STATE.lease_id);
  await expectScreens(machine, 'onceonly', 'deploy');
});

test('what somebody else holds is not taken for what this machine held before', async () => {
  const machine = createWhyMachine();
  const held = { ok: true, status: 'in_progress', key: 'deploy', ttl_left: 290, version: 2 };
  const taken = { ...held, status: 'acquired', ttl: 2, ttl_left: null, lease_id: STATE.lease_id };
  const { url } = await startLastingStub({ status: 200, body: taken }, { status: 200, body: held });
  await addProfile(machine, 'prod', url);
  await machine.json(['lease', 'deploy', '--ttl', '2s']);
  expect(await machine.why('deploy')).toMatchObject({
    ...{ diagnosis: 'healthy', state: 'held' },
    holder: { is_this_machine: false, host: null, process: null },
  });
});

test('OnceOnly tells that a key has run out, and that it knows none', async () => {
  const machine = createWhyMachine();
  const done_at = '2025-01-15T10:30:00Z';
  const expired = { ...STATE, key: 'deploy', status: 'failed', ttl_left: null };
  const { url } = await startLastingStub(
    { status: 200, body: { ...expired, error_code: 'expired', done_at } },
    refusal(404, 'not_found'),
  );
  await addProfile(machine, 'prod', url);
  expect(await machine.why('deploy')).toMatchObject({
    ...{ diagnosis: 'expired', expires_at: '2025-01-15T10:30:00.000Z' },
    next: 'leasectl lease deploy',
  });
  expect((await machine.run(['why', 'deploi'])).code).toBe(3);
});

test('of Retaia a job that is not listed is unknown, and one that is listed waits', async () => {
  const machine = createWhyMachine();
  const jobs = [{ job_id: 'j-1', job_type: 'extract_facts', status: 'pending' }];
  const { url } = await startLastingStub({ status: 200, body: jobs });
  await addProfile(machine, 'media', `${url}/api/v1`, 'token', 'retaia');
  expect(await machine.why('j-1')).toMatchObject({
    ...{ kind: 'job', diagnosis: 'waiting', next: 'leasectl jobs claim j-1' },
  });
  expect(await machine.why('j-2')).toMatchObject({
    ...{ diagnosis: 'unknown', state: null, next: 'leasectl jobs list' },
    not_told: ['state', 'holder', 'end', 'history'],
  });
  await expectScreens(machine, 'unknown', 'j-2');
});

test('AskUI is not asked: nothing there tells of a job without changing it', async () => {
  const machine = createWhyMachine();
  await addProfile(machine, 'runners', 'http://127.0.0.1:9', 'token', 'askui');
  expect(await machine.why('r-1')).toMatchObject({ kind: 'runner_job', diagnosis: 'unknown' });
});

test('what only this machine knows of is not said to be held', async () => {
  const team = await startTeamService();
  await team.addWork();
  const machine = createWhyMachine();
  const token = await team.token('runner', 'runner-jobs');
  await addProfile(machine, 'team', team.url, token, 'leasectl');
  await machine.json(['runner-jobs', 'lease', '--runner-id', 'r']);
  expect(await machine.why('rjob_1', '--kind', 'runner-job')).toMatchObject({
    ...{ state: null, holder: { is_this_machine: true } },
    explanation: expect.stringContaining('was taken by this machine; whether it still is held'),
    not_told: expect.arrayContaining(['state']),
  });
  const { stdout } = await machine.run(['why', 'rjob_1', '--kind', 'runner-job']);
  expect(stdout).toContain('Last holder');
});
