import { expect, test } from 'vitest';
import { createWorld, OWNER, type Own } from './authorisation-world.ts';

/** Acquisitions of each dialect. */
const ACQUISITIONS: readonly [string, (own: Own) => { path: string; body?: string }][] = [
  ['a key', ({ key }) => ({ path: '/v1/ai/lease', body: JSON.stringify({ key, ttl: 60 }) })],
  ['a job', ({ job }) => ({ path: `/api/v1/jobs/${job}/claim` })],
  [
    'a runner job',
    ({ runner }) => ({
      path: `/api/v1/runner-jobs/lease?runner_host=SELF&runner_id=${runner}`,
    }),
  ],
];

test.each(ACQUISITIONS)(
  'the Idempotency-Key of one caller gets no other one %s',
  async (_, requestOf) => {
    const world = createWorld();
    const scopes = ['keys:write', 'jobs:claim', 'runner-jobs'] as const;
    const [one, other] = [
      await world.admit('Bearer', scopes, OWNER),
      await world.admit('Bearer', scopes, OWNER),
    ];
    const { path, body } = requestOf(await world.prepare(false));
    const ask = async (authorization: string) => {
      const headers = { authorization, 'idempotency-key': 'order-7' };
      const answer = await world.request(path, {
        method: 'POST',
        headers,
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const first = await ask(one);
    expect(first.status).toBe(200);
    expect(await ask(one)).toEqual(first);
    expect((await ask(other)).status).toBe(409);
  },
);
