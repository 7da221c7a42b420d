import { describe, expect, test } from 'vitest';
import { LEASE } from '../support/embedded-jobs.ts';
import { NONE, OUTDATED, refusal, startAskUi } from './askui-service.ts';

const DAY = 24 * 3_600_000;
const many = (count: number) => Array.from({ length: count }, () => ({}));

async function startLeased() {
  const service = await startAskUi();
  const id = await service.addRunnerJob();
  return { ...service, id, job: await service.leased() };
}

describe('a lease', () => {
  test('is of the oldest job that fits, whatever the ids', async () => {
    const { addRunnerJobs, leased, lease, clock } = await startAskUi();
    for (const id of ['m', 'z', 'a']) {
      await addRunnerJobs([{}], [id]);
      clock.advance(1);
    }
    await addRunnerJobs(many(2), ['b1', 'b2']);
    const ids = [];
    for (let index = 0; index < 5; index += 1) ids.push((await leased()).id);
    expect(ids).toEqual(['m', 'z', 'a', 'b1', 'b2']);
    expect(await lease()).toEqual(NONE);
  });

  test('passes over older jobs that do not fit', async () => {
    const { addRunnerJobs, leased, clock } = await startAskUi();
    await addRunnerJobs([{ tags: ['gpu'] }, { host: 'ASKUI' }]);
    clock.advance(1);
    const [id] = await addRunnerJobs([{}]);
    expect((await leased()).id).toBe(id);
  });

  test('is of one job for each of many who come at once', async () => {
    const { addRunnerJobs, lease } = await startAskUi();
    const ids = await addRunnerJobs(many(5));
    const replies = await Promise.all(Array.from({ length: 12 }, () => lease()));
    const found = replies.flatMap(({ body }) =>
      body === null ? [] : [(body as { id: string }).id],
    );
    expect(found.toSorted()).toEqual(ids);
  });

  test('hides the job from others until it is visible', async () => {
    const { lease, leased, clock, id, job } = await startLeased();
    expect(job).toMatchObject({ id, status: 'RUNNING', tries: 1, visible: '2025-01-15T10:32:00Z' });
    clock.advance(LEASE - 1);
    expect(await lease()).toEqual(NONE);
    clock.advance(1);
    const again = await leased({ runner_id: 'r2' });
    expect(again).toMatchObject({ id, status: 'RUNNING', tries: 2, runner_id: 'r2' });
    expect(again.visible).toBe('2025-01-15T10:34:00Z');
    expect(again.ack).not.toBe(job.ack);
  });

  test('is of an abandoned job before younger ones', async () => {
    const { addRunnerJob, leased, clock, id } = await startLeased();
    clock.advance(LEASE);
    const younger = await addRunnerJob();
    expect((await leased()).id).toBe(id);
    expect((await leased()).id).toBe(younger);
  });

  test('outdates the ack before it', async () => {
    const { leased, ping, complete, clock, job } = await startLeased();
    clock.advance(LEASE);
    const { ack } = await leased();
    expect(await ping(job.ack)).toEqual(OUTDATED);
    expect(await complete(job.ack, 'PASSED')).toEqual(OUTDATED);
    expect((await ping(ack)).status).toBe(200);
    expect((await complete(ack, 'PASSED')).status).toBe(204);
  });
});

describe('the tries', () => {
  test.each([
    [undefined, 3],
    [1, 1],
    [2, 2],
    [5, 5],
  ])('are limited: %s makes %i', async (max_tries, limit) => {
    const { addRunnerJob, leased, lease, clock } = await startAskUi();
    await addRunnerJob(max_tries === undefined ? {} : { max_tries });
    for (let tries = 1; tries <= limit; tries += 1) {
      expect((await leased()).tries).toBe(tries);
      clock.advance(LEASE);
    }
    for (const days of [0, 1, 30]) {
      clock.advance(days * DAY);
      expect(await lease()).toEqual(NONE);
    }
  });

  test('leave the last runner its lease, until that ends', async () => {
    const { addRunnerJob, leased, ping, complete, clock } = await startAskUi();
    await addRunnerJob({ max_tries: 1 });
    const { ack } = await leased();
    clock.advance(LEASE - 1);
    expect(await ping(ack)).toMatchObject({ status: 200, body: { cancel_job: false } });
    clock.advance(LEASE - 1);
    expect((await complete(ack, 'PASSED')).status).toBe(204);
  });

  test('end the last ack with its lease', async () => {
    const { addRunnerJob, leased, ping, complete, clock } = await startAskUi();
    await addRunnerJob({ max_tries: 1 });
    const { ack } = await leased();
    clock.advance(LEASE);
    expect(await ping(ack)).toEqual(OUTDATED);
    expect(await complete(ack, 'PASSED')).toEqual(OUTDATED);
  });

  test('do not grow with pings', async () => {
    const { addRunnerJob, leased, ping, clock } = await startAskUi();
    await addRunnerJob({ max_tries: 2 });
    const { ack } = await leased();
    for (let count = 0; count < 5; count += 1) await ping(ack);
    clock.advance(LEASE);
    expect((await leased()).tries).toBe(2);
  });
});

describe('a ping', () => {
  test('moves the time when the job is visible ahead, to 120 s from now', async () => {
    const { ping, lease, leased, clock, id, job } = await startLeased();
    for (const visible of ['2025-01-15T10:32:50Z', '2025-01-15T10:33:40Z']) {
      clock.advance(50_000);
      expect((await ping(job.ack)).body).toEqual({ visible, cancel_job: false });
    }
    clock.advance(LEASE - 1);
    expect(await lease()).toEqual(NONE);
    clock.advance(1);
    expect((await leased()).id).toBe(id);
  });

  test('is refused when the job is visible, even if nobody took it since', async () => {
    const { ping, leased, clock, id, job } = await startLeased();
    clock.advance(LEASE);
    expect(await ping(job.ack)).toEqual(OUTDATED);
    expect(await leased()).toMatchObject({ id, tries: 2 });
  });

  test('is refused when the job is completed', async () => {
    const { ping, complete, job } = await startLeased();
    await complete(job.ack, 'PASSED');
    expect(await ping(job.ack)).toEqual(OUTDATED);
  });
});

describe.each(['PASSED', 'FAILED', 'CANCELED'])('a completion as %s', (status) => {
  test('ends the job for good', async () => {
    const { complete, lease, clock, job } = await startLeased();
    expect(await complete(job.ack, status)).toEqual({ status: 204, body: undefined });
    for (const days of [0, 1, 30]) {
      clock.advance(days * DAY);
      expect(await lease()).toEqual(NONE);
    }
  });

  test('is recorded again, also after the lease would have ended', async () => {
    const { complete, clock, job } = await startLeased();
    for (const wait of [0, 0, LEASE, DAY]) {
      clock.advance(wait);
      expect(await complete(job.ack, status)).toEqual({ status: 204, body: undefined });
    }
  });

  test('is not changed into another', async () => {
    const { complete, clock, job } = await startLeased();
    await complete(job.ack, status);
    for (const other of ['PASSED', 'FAILED', 'CANCELED'].filter((name) => name !== status)) {
      expect(await complete(job.ack, other)).toEqual(OUTDATED);
      clock.advance(LEASE);
      expect(await complete(job.ack, other)).toEqual(OUTDATED);
    }
    expect((await complete(job.ack, status)).status).toBe(204);
  });

  test('is refused when the job is visible, even if nobody took it since', async () => {
    const { complete, leased, clock, id, job } = await startLeased();
    clock.advance(LEASE);
    expect(await complete(job.ack, status)).toEqual(OUTDATED);
    expect(await leased()).toMatchObject({ id, tries: 2 });
  });
});

describe('an ack', () => {
  test.each(['ack_0', ' ', '🎉', '%', 'a'.repeat(4000)])('that is unknown: %s', async (ack) => {
    const { ping, complete } = await startLeased();
    expect(await ping(ack)).toEqual(OUTDATED);
    expect(await complete(ack, 'PASSED')).toEqual(OUTDATED);
  });

  test('is not the id of the job, nor its ack in other letters', async () => {
    const { ping, complete, id, job } = await startLeased();
    for (const ack of [id, job.ack.toUpperCase(), `${job.ack}0`, job.ack.slice(0, -1)]) {
      expect(await ping(ack)).toEqual(OUTDATED);
      expect(await complete(ack, 'PASSED')).toEqual(OUTDATED);
    }
    expect((await ping(job.ack)).status).toBe(200);
  });

  test.each([
    ['left out', undefined],
    ['empty', ''],
  ])('that is %s breaks the contract', async (_, ack) => {
    const { ping, complete } = await startLeased();
    for (const reply of [await ping(ack), await complete(ack, 'PASSED')]) {
      expect(reply).toEqual(refusal(422, ['query', 'ack']));
      expect(reply).not.toEqual(OUTDATED);
    }
  });
});

test.each([
  ['{"status": "PENDING"}', ['body', 'status']],
  ['{"status": "RUNNING"}', ['body', 'status']],
  ['{"status": "MAX_RETRIES_EXCEEDED"}', ['body', 'status']],
  ['{"status": "passed"}', ['body', 'status']],
  ['{"status": null}', ['body', 'status']],
  ['{}', ['body', 'status']],
  ['[]', ['body']],
  ['null', ['body']],
  ['no json', ['body']],
  ['', ['body']],
])('the completion %s is refused', async (body, loc) => {
  const { completeWith, complete, job } = await startLeased();
  expect(await completeWith(job.ack, body)).toEqual(refusal(422, loc));
  expect((await complete(job.ack, 'PASSED')).status).toBe(204);
});
