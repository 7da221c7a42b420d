import { expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { LEASE } from '../support/embedded-jobs.ts';
import { NONE, OUTDATED, startAskUi } from './askui-service.ts';

const CANCEL = { type: 'request_cancel' } as const;

async function startLeased() {
  const service = await startAskUi();
  const id = await service.addRunnerJob();
  const { ack } = await service.leased();
  const cancel = () => service.engine.change('runner_job', id, CANCEL, NOBODY);
  return { ...service, id, ack, cancel };
}

test('a job that is canceled while it waits is never leased', async () => {
  const { engine, addRunnerJobs, lease, leased, clock } = await startAskUi();
  const [id = '', other] = await addRunnerJobs([{}, {}]);
  await engine.change('runner_job', id, CANCEL, NOBODY);
  expect((await leased()).id).toBe(other);
  expect(await lease()).toEqual(NONE);
  clock.advance(LEASE);
  expect((await leased()).id).toBe(other);
});

test('a runner learns from its next ping that its job is to be canceled', async () => {
  const { ping, ack, cancel, clock } = await startLeased();
  expect((await ping(ack)).body).toMatchObject({ cancel_job: false });
  await cancel();
  clock.advance(30_000);
  const told = { status: 200, body: { visible: '2025-01-15T10:32:30Z', cancel_job: true } };
  expect(await ping(ack)).toEqual(told);
  expect(await ping(ack)).toEqual(told);
});

test('other runners are not told to cancel', async () => {
  const { addRunnerJob, leased, ping, cancel } = await startLeased();
  await addRunnerJob();
  const { ack } = await leased();
  await cancel();
  expect((await ping(ack)).body).toMatchObject({ cancel_job: false });
});

test.each(['CANCELED', 'PASSED', 'FAILED'])(
  'a runner may still complete, as %s, what is to be canceled',
  async (status) => {
    const { complete, ping, ack, cancel } = await startLeased();
    await cancel();
    await ping(ack);
    expect((await complete(ack, status)).status).toBe(204);
    expect((await complete(ack, status)).status).toBe(204);
  },
);

test('a job that was to be canceled is not leased again when its runner left it', async () => {
  const { lease, ping, complete, ack, cancel, clock } = await startLeased();
  await cancel();
  clock.advance(LEASE - 1);
  expect(await lease()).toEqual(NONE);
  clock.advance(1);
  expect(await lease()).toEqual(NONE);
  expect(await ping(ack)).toEqual(OUTDATED);
  expect(await complete(ack, 'CANCELED')).toEqual(OUTDATED);
});

test('a job that its runner left, and that is canceled then, is not leased again', async () => {
  const { lease, cancel, clock } = await startLeased();
  clock.advance(LEASE);
  await cancel();
  expect(await lease()).toEqual(NONE);
});
