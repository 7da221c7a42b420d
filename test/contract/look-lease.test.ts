import { expect, onTestFinished, test } from 'vitest';
import { Context } from '../../src/context.ts';
import type { LeaseKind } from '../../src/insight/sighting.ts';
import { openLeaseView } from '../../src/look/lease.ts';
import { HANDLE, refusal, STATE } from '../support/hosted-answers.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';

const DATE = 'Sun, 22 Nov 2026 12:00:00 GMT';

function contextOf({ env }: Sandbox): Context {
  const context = new Context(Object.assign(Object.create(process), { env }));
  onTestFinished(() => context.close());
  return context;
}

function view(sandbox: Sandbox, id: string, profile?: string, kind?: LeaseKind) {
  const options = { profile, timeout: 5_000, version: '0' };
  return openLeaseView(contextOf(sandbox), { id, kind }, options);
}

test("of leasectl's own service the administration tells, with its history", async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'deploy', '--ttl', '90']);
  const found = await view(sandbox, 'deploy');
  expect(found.place).toMatchObject({ service: 'onceonly', profile: 'local', isOurs: true });
  expect(found.address).toEqual({
    ...{ service: 'onceonly', profile: 'local', id: 'deploy' },
    location: sandbox.databaseFile,
  });
  const { sighting, handle } = await found.look();
  expect(sighting).toMatchObject({
    ...{ kind: 'key', id: 'deploy', state: 'held', fencingToken: 1, version: 1, ttl: 90_000 },
    holder: expect.stringContaining('@'),
  });
  expect((sighting.endsAt ?? 0) - (sighting.acquiredAt ?? 0)).toBe(90_000);
  expect(handle).toBeUndefined();
  expect(await found.history(['acquired'], 5)).toMatchObject([{ type: 'acquired', version: 1 }]);
  expect(await found.history(['completed'], 5)).toEqual([]);
  const { sighting: unknown } = await (await view(sandbox, 'nothing')).look();
  expect(unknown.state).toBe('never_seen');
});

test('without the scope for the administration the dialect tells what it does', async () => {
  const team = await startTeamService();
  const sandbox = createSandbox();
  await team.addWork();
  const token = await team.token('agent', 'keys:read', 'keys:write', 'jobs:claim');
  await addProfile(sandbox, 'team', team.url, token, 'leasectl');
  await sandbox.json(['lease', 'deploy']);
  const found = await view(sandbox, 'deploy');
  const { sighting, handle } = await found.look();
  expect(sighting).toMatchObject({ state: 'held', retryAfter: 5_000, version: 1 });
  expect(handle).toMatch(/./);
  expect(await found.history(undefined, 5)).toBeUndefined();
  const job = await view(sandbox, 'job_1', undefined, 'job');
  expect((await job.look()).sighting).toMatchObject({ kind: 'job', state: 'waiting' });
  const runnerJob = await view(sandbox, 'rjob_1', undefined, 'runner_job');
  expect((await runnerJob.look()).sighting.state).toBe('untold');
});

test('of a hosted OnceOnly its status tells, by its clock', async () => {
  const stub = await startStub(
    { status: 200, headers: { date: DATE }, body: STATE },
    refusal(404, 'not_found'),
  );
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', stub.url);
  const found = await view(sandbox, 'k');
  expect(found.place).toMatchObject({ profile: 'prod', location: `${stub.url}/`, isOurs: false });
  const at = Date.parse(DATE);
  const { sighting, handle } = await found.look();
  expect(sighting).toMatchObject({ state: 'held', at, endsAt: at + 90_000, version: 1 });
  expect(handle).toBe(HANDLE);
  expect((await found.look()).sighting.state).toBe('never_seen');
  expect(await found.history(undefined, 5)).toBeUndefined();
});

test('of a hosted Retaia the list tells: once for all who ask within some seconds', async () => {
  const locked_until = '2026-11-22T11:59:00Z';
  const jobs = [
    { job_id: 'a', status: 'pending' },
    { job_id: 'b', claimed_by: 'x', locked_until },
  ];
  const stub = await startStub({ status: 200, headers: { date: DATE }, body: { items: jobs } });
  const sandbox = createSandbox();
  await addProfile(sandbox, 'media', `${stub.url}/api/v1`, 'token', 'retaia');
  const { place } = await view(sandbox, 'a');
  expect(place).toMatchObject({ service: 'retaia', profile: 'media', isOurs: false });
  const { openPlace } = await import('../../src/look/lease.ts');
  const options = { profile: 'media', timeout: 5_000, version: '0' };
  const opened = await openPlace(contextOf(sandbox), 'job', options);
  const looks = await Promise.all(['a', 'b', 'c'].map((id) => opened.view(id).look()));
  expect(looks.map(({ sighting }) => sighting.state)).toEqual(['waiting', 'expired', 'untold']);
  expect(looks[1]?.sighting).toMatchObject({ holder: 'x', endsAt: Date.parse(locked_until) });
  expect(await opened.view('a').look()).toEqual(looks[0]);
});

test('which service is meant tell the flags, what is held here, and what the id looks like', async () => {
  const sandbox = createSandbox();
  const kindOf = async (id: string, profile?: string, kind?: LeaseKind) =>
    (await view(sandbox, id, profile, kind)).kind;
  const added = await sandbox.json(['admin', 'jobs', 'add', '--type', 'extract_facts']);
  const [{ job_id }] = added as [{ job_id: string }];
  expect(await kindOf(job_id)).toBe('job');
  expect(await kindOf(job_id, undefined, 'key')).toBe('key');
  expect(await kindOf('deploy')).toBe('key');
  const uuid = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  expect(await kindOf(uuid)).toBe('key');
  await addProfile(sandbox, 'prod', 'http://127.0.0.1:1');
  await addProfile(sandbox, 'media', 'http://127.0.0.1:1', 'token', 'retaia');
  expect(await kindOf(uuid)).toBe('job');
  expect(await kindOf('deploy')).toBe('key');
  expect(await kindOf('deploy', 'media')).toBe('job');
  expect(await kindOf(job_id, 'prod')).toBe('key');
});

test('what this machine holds is looked at where it holds it', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'deploy', '--profile', 'local']);
  await addProfile(sandbox, 'prod', 'http://127.0.0.1:1');
  expect((await view(sandbox, 'deploy')).place.profile).toBe('local');
  expect((await view(sandbox, 'another')).place.profile).toBe('prod');
  expect((await view(sandbox, 'deploy', 'prod')).place.profile).toBe('prod');
});

test('a key is the one that the project means, a job the one that it is', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'shop-deploy']);
  const context = contextOf(sandbox);
  context.project = async () => ({ file: 'project', key_prefix: 'shop-' });
  const options = { profile: undefined, timeout: 5_000, version: '0' };
  const idOf = async (id: string, kind?: LeaseKind) =>
    (await openLeaseView(context, { id, kind }, options)).address.id;
  expect(await idOf('deploy')).toBe('shop-deploy');
  expect(await idOf('shop-deploy')).toBe('shop-deploy');
  expect(await idOf('deploy', 'job')).toBe('deploy');
});

test('a list that failed is asked for anew', async () => {
  const stub = await startStub(refusal(400, 'no'), { status: 200, body: [{ job_id: 'a' }] });
  const sandbox = createSandbox();
  await addProfile(sandbox, 'media', `${stub.url}/api/v1`, 'token', 'retaia');
  const job = await view(sandbox, 'a', 'media');
  await expect(job.look()).rejects.toMatchObject({ code: 'invalid_request' });
  expect((await job.look()).sighting.state).toBe('waiting');
});
