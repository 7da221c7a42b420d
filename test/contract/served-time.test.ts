import { expect, test } from 'vitest';
import { startEmbeddedJobs } from '../support/embedded-jobs.ts';

/*
 * A holder counts from the answer's Date until its lease ends: so that has to be of the clock by which
 * leases end, however far a node's own is from it.
 */
test('what tells when a lease ends tells the database’s time, too', async () => {
  const { url, clock, addJob, addRunnerJob } = await startEmbeddedJobs();
  const job = await addJob();
  await addRunnerJob();
  clock.advance(1_999);
  const ask = async (path: string, body = '{}') => {
    const response = await fetch(`${url}/api/v1${path}`, { method: 'POST', body });
    const date = new Date(response.headers.get('date') ?? 0).toISOString();
    return { status: response.status, date, body: Object(await response.json()) };
  };
  const told = { status: 200, date: '2025-01-15T10:30:01.000Z' };
  const end = '2025-01-15T10:32:01Z';

  const claimed = await ask(`/jobs/${job}/claim`);
  expect(claimed).toMatchObject({ ...told, body: { locked_until: end } });
  const { lock_token, fencing_token } = claimed.body;
  const lock = JSON.stringify({ lock_token, fencing_token });
  expect(await ask(`/jobs/${job}/heartbeat`, lock)).toMatchObject(told);
  const leased = await ask('/runner-jobs/lease?runner_host=SELF&runner_id=r');
  expect(leased).toMatchObject({ ...told, body: { visible: end } });
  expect(await ask(`/runner-jobs/ping?ack=${leased.body.ack}`)).toMatchObject(told);
});
