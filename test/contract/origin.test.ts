import { request as sendRaw } from 'node:http';
import { describe, expect, test } from 'vitest';
import { originHeader } from '../../src/http/origin-header.ts';
import { startAskUi } from './askui-service.ts';
import { startRetaia } from './retaia-service.ts';

const ORIGIN = {
  host: 'läptop',
  user: 'ada',
  pid: 4711,
  command: 'jobs exec',
  repository: 'https://example.com/deploy.git',
  ci: { provider: 'GitLab CI', job: 'deploy 🚀\u202e' },
};

/** The two ways to take a job, each of a service of its own that has one. */
const TAKERS = {
  claim: async () => {
    const { engine, url, addJob } = await startRetaia();
    const id = await addJob();
    const path = `/api/v1/jobs/${id}/claim`;
    const metadata = async () => (await engine.look('job', id)).lease?.metadata;
    return { url, path, own: { claimed_by: null }, metadata };
  },
  lease: async () => {
    const { engine, url, addRunnerJob } = await startAskUi();
    const id = await addRunnerJob();
    const path = '/api/v1/runner-jobs/lease?runner_host=SELF&runner_id=r';
    const metadata = async () => (await engine.look('runner_job', id)).lease?.metadata;
    return { url, path, own: { runner_id: 'r' }, metadata };
  },
};

type Headers = Readonly<Record<string, string | string[]>>;

/** `fetch` would refuse some of what can be sent. */
function post(url: string, headers: Headers): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = sendRaw(
      url,
      { method: 'POST', headers, insecureHTTPParser: true },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe.each(Object.entries(TAKERS))('%s', (_, start) => {
  test('notes where it is done, if a header tells it, and says it in no answer', async () => {
    const { url, path, own, metadata } = await start();
    const answer = await fetch(url + path, { method: 'POST', headers: originHeader(ORIGIN) });
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toMatch(/ada|deploy/);
    expect(await metadata()).toEqual({ ...own, leasectl: ORIGIN });
  });

  test('is the same request wherever it comes from', async () => {
    const { url, path, own, metadata } = await start();
    const answers = [];
    for (const pid of [1, 2]) {
      const headers = { ...originHeader({ ...ORIGIN, pid }), 'idempotency-key': 'i' };
      answers.push(await (await fetch(url + path, { method: 'POST', headers })).text());
    }
    expect(answers[1]).toBe(answers[0]);
    expect(await metadata()).toEqual({ ...own, leasectl: { ...ORIGIN, pid: 1 } });
  });

  test.each<[string, string | string[]]>([
    ['nothing', ''],
    ['no JSON', '{"host":'],
    ['no object', '["host"]'],
    ['an object of nothing', '{}'],
    ['what nobody asked for', '{"claimed_by":"root","runner_id":"x","__proto__":{"host":"x"}}'],
    ['the wrong types', '{"host":1,"pid":"1","ci":{"url":[]},"user":null}'],
    ['what is nested for ever', `{"host":${'['.repeat(5_000)}`],
    ['what is not UTF-8', '\xff\xfe'],
    ['two of them', ['{"host":"a"}', '{"host":"b"}']],
  ])('does without it where the header is %s', async (_, value) => {
    const { url, path, own, metadata } = await start();
    expect(await post(url + path, { 'leasectl-origin': value })).toBe(200);
    expect(await metadata()).toEqual(own);
  });

  test('keeps no more of it than names need', async () => {
    const { url, path, own, metadata } = await start();
    const value = JSON.stringify({ host: 'h'.repeat(9_000), pid: 7, other: 'x', user: 'a\0b' });
    expect(await post(url + path, { 'leasectl-origin': value })).toBe(200);
    const leasectl = { host: 'h'.repeat(300), pid: 7, user: 'a\ufffdb' };
    expect(await metadata()).toEqual({ ...own, leasectl });
  });
});

test('the header is ASCII, and nothing where it would be too long for some on the way', () => {
  expect(originHeader(undefined)).toEqual({});
  expect(originHeader({ host: '\ud800é\n' })).toEqual({
    'leasectl-origin': '{"host":"\\ud800\\u00e9\\n"}',
  });
  expect(originHeader({ host: 'é'.repeat(300), repository: 'é'.repeat(300) })).not.toEqual({});
  const texts = { host: 'é'.repeat(300), user: 'é'.repeat(300), repository: 'é'.repeat(300) };
  expect(originHeader(texts)).toEqual({});
});
