import { describe, expect, test } from 'vitest';
import { failure, refusal, startRetaia } from './retaia-service.ts';

const PATCHES = ['facts_patch', 'derived_patch', 'transcript_patch'] as const;

/** Which patch belongs to whom. */
const OWNED: readonly (readonly [string, (typeof PATCHES)[number]])[] = [
  ['extract_facts', 'facts_patch'],
  ['generate_proxy', 'derived_patch'],
  ['generate_preview', 'derived_patch'],
  ['generate_thumbnails', 'derived_patch'],
  ['generate_audio_waveform', 'derived_patch'],
  ['generate_whatever_comes', 'derived_patch'],
  ['transcribe_audio', 'transcript_patch'],
];

async function startClaimed(job_type: string) {
  const service = await startRetaia();
  const id = await service.addJob({ job_type });
  return { ...service, id, held: await service.lock(id) };
}

describe.each(OWNED)('a submission of %s', (job_type, own) => {
  test(`takes its ${own}`, async () => {
    const { submit, id, held } = await startClaimed(job_type);
    const { status, body } = await submit(id, { ...held, job_type, result: { [own]: { a: 1 } } });
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'completed' } });
  });

  test.each(PATCHES.filter((patch) => patch !== own))('takes no %s', async (foreign) => {
    const { submit, id, held } = await startClaimed(job_type);
    for (const result of [{ [foreign]: {} }, { [own]: {}, [foreign]: { a: 1 } }]) {
      const reply = await submit(id, { ...held, job_type, result });
      expect(reply).toEqual(refusal(422, 'VALIDATION_FAILED'));
    }
    // What was refused changed nothing.
    const { status } = await submit(id, { ...held, job_type, result: { [own]: {} } });
    expect(status).toBe(200);
  });
});

describe('a submission of a type that is not known', () => {
  test.each([
    ['facts_patch', { facts_patch: {} }],
    ['derived_patch', { derived_patch: {} }],
    ['transcript_patch', { transcript_patch: {} }],
    ['all of them', { facts_patch: {}, derived_patch: {}, transcript_patch: {} }],
  ])('takes any patch: %s', async (_, result) => {
    const { submit, id, held } = await startClaimed('detect_faces');
    const { status } = await submit(id, { ...held, job_type: 'detect_faces', result });
    expect(status).toBe(200);
  });
});

describe('a submission', () => {
  test.each([
    ['extract_facts', 'transcribe_audio', { transcript_patch: {} }],
    ['extract_facts', 'generate_proxy', { facts_patch: {} }],
    ['generate_proxy', 'generate_preview', { derived_patch: {} }],
    ['detect_faces', 'Detect_Faces', { facts_patch: {} }],
    ['detect_faces', '', {}],
  ])('of a job of type %s as %j is refused', async (type, job_type, result) => {
    const { submit, id, held, heartbeat } = await startClaimed(type);
    const reply = await submit(id, { ...held, job_type, result });
    expect(reply).toEqual(refusal(422, 'VALIDATION_FAILED'));
    expect((await heartbeat(id, held)).status).toBe(200);
  });

  test.each([
    ['no job_type', { job_type: undefined }],
    ['a job_type that is no text', { job_type: 7 }],
    ['no result', { result: undefined }],
    ['a result that is no object', { result: 'done' }],
    ['a patch that is no object', { result: { facts_patch: [] } }],
    ['warnings that are no list of texts', { result: { warnings: [1] } }],
    ['metrics that are no object', { result: { metrics: 'fast' } }],
    ['a fencing_token below 1', { fencing_token: 0 }],
  ])('is refused with %s', async (_, wrong) => {
    const { submit, id, held, heartbeat } = await startClaimed('extract_facts');
    const body = { ...held, job_type: 'extract_facts', result: { facts_patch: {} }, ...wrong };
    expect(await submit(id, body)).toEqual(refusal(422, 'VALIDATION_FAILED'));
    expect((await heartbeat(id, held)).status).toBe(200);
  });
});

describe('a failure', () => {
  test.each([
    ['no error_code', { error_code: undefined }],
    ['an empty error_code', { error_code: '' }],
    ['an error_code that is no text', { error_code: 7 }],
    ['no retryable', { retryable: undefined }],
    ['a retryable that is no boolean', { retryable: 'yes' }],
    ['a message that is no text', { message: {} }],
  ])('is refused with %s', async (_, wrong) => {
    const { fail, id, held, heartbeat } = await startClaimed('extract_facts');
    const reply = await fail(id, { ...failure(held), ...wrong });
    expect(reply).toEqual(refusal(422, 'VALIDATION_FAILED'));
    expect((await heartbeat(id, held)).status).toBe(200);
  });

  test('needs no message', async () => {
    const { fail, id, held } = await startClaimed('extract_facts');
    const { status } = await fail(id, { ...failure(held), message: undefined });
    expect(status).toBe(200);
  });

  test('that may be retried puts the job back at once, for anybody', async () => {
    const { fail, id, held, list, claim } = await startClaimed('extract_facts');
    await fail(id, { ...failure(held), retryable: true });
    expect((await list()).body).toMatchObject([
      { job_id: id, status: 'pending', claimed_by: null, lock_token: null, locked_until: null },
    ]);
    const { status, body } = await claim(id);
    expect(status).toBe(200);
    expect(body['lock_token']).not.toBe(held.lock_token);
  });

  test('that may be retried keeps the job’s place among the others', async () => {
    const { addJob, fail, id, held, listed, clock } = await startClaimed('extract_facts');
    clock.advance(1000);
    const later = await addJob();
    await fail(id, { ...failure(held), retryable: true });
    expect(await listed()).toEqual([id, later]);
  });

  test('may be retried any number of times', async () => {
    const { fail, id, held, lock, heartbeat } = await startClaimed('extract_facts');
    let last = held;
    for (let round = 0; round < 10; round += 1) {
      await fail(id, { ...failure(last), retryable: true });
      last = await lock(id);
    }
    expect((await heartbeat(id, last)).status).toBe(200);
  });

  test('for good ends the job', async () => {
    const { fail, id, held, listed, claim } = await startClaimed('extract_facts');
    await fail(id, failure(held));
    expect(await listed()).toEqual([]);
    expect(await claim(id)).toEqual(refusal(409, 'STATE_CONFLICT'));
  });
});

test.each(['submit', 'fail'] as const)(
  'however deeply a body is nested, %s answers',
  async (call) => {
    const { id, held, ...service } = await startClaimed('extract_facts');
    // The deepest that can be parsed comes first: there, all that follows has the least stack left.
    for (let depth = 5_000; depth >= 500; depth -= 100) {
      const nested = '['.repeat(depth) + ']'.repeat(depth);
      const reply = await service[call](id, `{"lock_token": "other", "deep": ${nested}}`);
      expect(reply).toEqual(refusal(422, 'VALIDATION_FAILED'));
    }
    expect((await service.heartbeat(id, held)).status).toBe(200);
  },
);
