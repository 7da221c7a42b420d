import { describe, expect, test } from 'vitest';
import { startEmbeddedJobs } from '../support/embedded-jobs.ts';
import { departures } from './askui-schema.ts';
import { askUiOf, refusal, startAskUi } from './askui-service.ts';

/*
 * AskUI's lease, and the two calls that keep and finish what it leased, request and answer, field by
 * field.
 */

const WORKSPACE = '0b5c1f7e-9d1c-4b7e-a1f3-2d6a4f0c9e11';
const JOB = {
  host: 'ASKUI',
  workspace_id: WORKSPACE,
  tags: ['windows', 'gpu'],
  workflows: ['checkout', 'refund'],
  access_token: 'secret-of-the-workspace',
  schedule_results_api_url: 'https://workspaces.example/schedule-results',
  results_api_url: 'https://workspaces.example/results',
  workflows_api_url: 'https://workspaces.example/workflows',
  inference_api_url: 'https://inference.example',
  data: { nested: { any: ['thing', 1, null] } },
} as const;
const QUERY = {
  runner_host: 'ASKUI',
  runner_id: 'runner-7',
  workspace_id: WORKSPACE,
  tags: ['gpu', 'windows', 'fast'],
};

async function startDocument() {
  const service = await startAskUi();
  const { tags, workflows } = JOB;
  await service.addRunnerJobs(
    [{ ...JOB, tags: [...tags], workflows: [...workflows] }],
    ['runner-job-1'],
  );
  return service;
}

describe('POST /api/v1/runner-jobs/lease', () => {
  test('leases a job that fits', async () => {
    const { lease } = await startDocument();
    expect(await lease(QUERY)).toEqual({
      status: 200,
      body: {
        id: 'runner-job-1',
        ack: expect.stringMatching(/^runner_job_[0-9a-f]{32}$/),
        status: 'RUNNING',
        visible: '2025-01-15T10:32:00Z',
        runner_id: 'runner-7',
        tries: 1,
        data: {
          credentials: { workspace_id: WORKSPACE, access_token: JOB.access_token },
          workflows: JOB.workflows,
          schedule_results_api_url: JOB.schedule_results_api_url,
          results_api_url: JOB.results_api_url,
          workflows_api_url: JOB.workflows_api_url,
          inference_api_url: JOB.inference_api_url,
          data: JOB.data,
        },
      },
    });
  });

  test('tells of a job of which nothing was said what the contract demands', async () => {
    const { lease, addRunnerJob } = await startAskUi();
    const id = await addRunnerJob();
    expect(await lease()).toEqual({
      status: 200,
      body: {
        id,
        ack: expect.any(String),
        status: 'RUNNING',
        visible: '2025-01-15T10:32:00Z',
        runner_id: 'r',
        tries: 1,
        data: {
          credentials: {
            workspace_id: '00000000-0000-0000-0000-000000000000',
            access_token: expect.stringMatching(/./),
          },
          workflows: null,
          schedule_results_api_url: expect.any(String),
          results_api_url: expect.any(String),
          workflows_api_url: expect.any(String),
          inference_api_url: expect.any(String),
        },
      },
    });
  });

  test('answers null where there is none', async () => {
    const { lease } = await startAskUi();
    expect(await lease(QUERY)).toEqual({ status: 200, body: null });
  });

  test.each([
    ['runner_host', { runner_host: undefined }],
    ['runner_id', { runner_id: undefined }],
  ])('refuses a request without %s', async (name, wrong) => {
    const { lease } = await startDocument();
    expect(await lease({ ...QUERY, ...wrong })).toEqual(refusal(422, ['query', name]));
  });
});

test('POST /api/v1/runner-jobs/ping', async () => {
  const { leased, ping, clock } = await startDocument();
  const { ack } = await leased(QUERY);
  clock.advance(30_000);
  expect(await ping(ack)).toEqual({
    status: 200,
    body: { visible: '2025-01-15T10:32:30Z', cancel_job: false },
  });
});

test.each(['PASSED', 'FAILED', 'CANCELED'])(
  'POST /api/v1/runner-jobs/complete as %s',
  async (status) => {
    const { leased, complete } = await startDocument();
    const { ack } = await leased(QUERY);
    expect(await complete(ack, status)).toEqual({ status: 204, body: undefined });
  },
);

test.each([
  ['Bearer', (token: string) => `Bearer ${token}`],
  ['Basic, the token alone', (token: string) => `Basic ${Buffer.from(token).toString('base64')}`],
])('a token is taken as %s', async (_, shown) => {
  const server = await startEmbeddedJobs({ isGuarded: true });
  const added = await server.access.addToken({
    name: 'runner',
    scopes: ['runner-jobs'],
    lifetime: undefined,
  });
  const authorization = shown(added?.secret ?? '');
  const id = await server.addRunnerJob();
  const { leased, ping, complete } = askUiOf(server, { authorization });
  const { ack, ...job } = await leased();
  expect(job.id).toBe(id);
  expect((await ping(ack)).status).toBe(200);
  expect((await complete(ack, 'PASSED')).status).toBe(204);
});

test('the check against the contract finds departures', () => {
  const answer = { visible: '2025-01-15T10:32:00Z', cancel_job: false };
  expect(departures('ping', 200, answer)).toEqual([]);
  expect(departures('ping', 200, { ...answer, visible: 1_736_937_120 })).not.toEqual([]);
  expect(departures('ping', 200, { ...answer, more: 1 })).not.toEqual([]);
  expect(departures('ping', 500, answer)).not.toEqual([]);
  expect(departures('lease', 200, null)).toEqual([]);
  expect(departures('lease', 200, {})).not.toEqual([]);
  expect(departures('complete', 204, undefined)).toEqual([]);
  expect(departures('complete', 204, {})).not.toEqual([]);
  expect(departures('complete', 200, {})).not.toEqual([]);
});
