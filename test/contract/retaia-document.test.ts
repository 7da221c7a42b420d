import { describe, expect, test } from 'vitest';
import { SCOPES } from '../../src/engine/access.ts';
import { departures } from './retaia-schema.ts';
import { startGuarded } from './retaia-service.ts';

/*
 * The five operations of Retaia's JobsApi, request and answer, field by field, as an agent with an
 * access token calls them.
 */

const JOB = {
  job_type: 'extract_facts',
  asset_uuid: '3f1d3a3e-8f5a-4d0a-9a51-0d7f1c6f0b11',
  source: {
    storage_id: 'nas-main',
    original_relative: 'INBOX/clip.mov',
    sidecars_relative: ['INBOX/clip.xmp'],
  },
  required_capabilities: ['media.facts@1'],
};
const FREE = { claimed_by: null, lock_token: null, locked_until: null };

async function startDocument() {
  const service = await startGuarded('agent-1', SCOPES);
  const [id = ''] = await service.addJobs([JOB], ['job-7']);
  return { ...service, id };
}

async function startClaimed() {
  const service = await startDocument();
  return { ...service, lock: await service.lock(service.id) };
}

describe('GET /jobs', () => {
  test('lists a job that waits', async () => {
    const { list } = await startDocument();
    expect(await list()).toEqual({
      status: 200,
      body: [{ job_id: 'job-7', status: 'pending', ...JOB, ...FREE, fencing_token: null }],
    });
  });

  test('lists nothing where nothing waits', async () => {
    const { list } = await startGuarded('agent-1', SCOPES);
    expect(await list()).toEqual({ status: 200, body: [] });
  });

  test('leaves out what was not said of a job', async () => {
    const { list, addJobs } = await startGuarded('agent-1', SCOPES);
    await addJobs([{ job_type: 'transcribe_audio' }], ['job-8']);
    expect(await list()).toEqual({
      status: 200,
      body: [
        {
          job_id: 'job-8',
          job_type: 'transcribe_audio',
          status: 'pending',
          asset_uuid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
          required_capabilities: [],
          ...FREE,
          fencing_token: null,
        },
      ],
    });
  });
});

test('POST /jobs/{job_id}/claim', async () => {
  const { claim, id } = await startDocument();
  expect(await claim(id)).toEqual({
    status: 200,
    body: {
      job_id: 'job-7',
      status: 'claimed',
      ...JOB,
      claimed_by: 'agent-1',
      lock_token: expect.stringMatching(/^job_[0-9a-f]{32}$/),
      fencing_token: 1,
      locked_until: '2025-01-15T10:32:00Z',
    },
  });
});

test('POST /jobs/{job_id}/heartbeat', async () => {
  const { heartbeat, clock, id, lock } = await startClaimed();
  clock.advance(30_000);
  expect(await heartbeat(id, lock)).toEqual({
    status: 200,
    body: { locked_until: '2025-01-15T10:32:30Z', fencing_token: lock.fencing_token },
  });
});

test('POST /jobs/{job_id}/submit', async () => {
  const { submit, id, lock } = await startClaimed();
  const result = {
    facts_patch: { duration_ms: 1200, codec: 'prores' },
    warnings: ['no audio'],
    metrics: { seconds: 1.5 },
  };
  expect(await submit(id, { ...lock, job_type: JOB.job_type, result }, 'submit-1')).toEqual({
    status: 200,
    body: { job_id: 'job-7', status: 'completed', ...JOB, ...FREE, fencing_token: 1 },
  });
});

test.each([
  [true, 'pending'],
  [false, 'failed'],
])('POST /jobs/{job_id}/fail, retryable %s', async (retryable, status) => {
  const { fail, id, lock } = await startClaimed();
  const request = { ...lock, error_code: 'DECODE_ERROR', message: 'No frames.', retryable };
  expect(await fail(id, request, 'fail-1')).toEqual({
    status: 200,
    body: { job_id: 'job-7', status, ...JOB, ...FREE, fencing_token: 1 },
  });
});

test('a refusal', async () => {
  const { claim } = await startDocument();
  expect(await claim('job-unknown')).toEqual({
    status: 409,
    body: {
      code: 'STATE_CONFLICT',
      message: expect.any(String),
      details: expect.any(Object),
      retryable: false,
      correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
  });
});

test('the token endpoint', async () => {
  const { token, client } = await startDocument();
  const form = {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
    scope: 'jobs:claim jobs:heartbeat jobs:submit',
  };
  expect(await token(form)).toEqual({
    status: 200,
    body: {
      access_token: expect.stringMatching(/^token_[0-9a-f]{64}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'jobs:claim jobs:heartbeat jobs:submit',
    },
  });
});

test('the check against the contract finds departures', () => {
  const answer = { locked_until: '2025-01-15T10:32:00Z', fencing_token: 1 };
  expect(departures('heartbeat', 200, answer)).toEqual([]);
  expect(departures('heartbeat', 200, { ...answer, fencing_token: 0 })).not.toEqual([]);
  expect(departures('heartbeat', 200, { ...answer, locked_until: 'soon' })).not.toEqual([]);
  expect(departures('heartbeat', 200, { ...answer, more: 1 })).not.toEqual([]);
  expect(departures('heartbeat', 500, answer)).not.toEqual([]);
  const refused = { code: 'LOCK_INVALID', message: 'm', retryable: false, correlation_id: 'c' };
  expect(departures('heartbeat', 423, refused)).toEqual([]);
  expect(departures('heartbeat', 409, refused)).not.toEqual([]);
});
