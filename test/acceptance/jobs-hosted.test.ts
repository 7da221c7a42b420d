import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bearer } from '../support/hosted-answers.ts';
import {
  bodyOf,
  CLAIMED,
  EMPTY,
  hangUp,
  JOB,
  keyOf,
  LOCK,
  ok,
  refusal,
  SUBMIT,
  TOKEN,
  withClaim,
  withServer,
} from '../support/hosted-jobs.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type Reply, startLastingStub } from '../support/stub-server.ts';

/*
 * A server that is not ours answers in ways that the contract does not name. What it says is
 * accepted, and passed on as it is.
 */

describe('a list', () => {
  const second = { ...JOB, job_id: 'j2', job_type: 'other', required_capabilities: ['ocr'] };

  test.each([
    ['an array', [JOB, second]],
    ['an object with items', { items: [JOB, second], next: null }],
  ])('that is %s is passed on as it is', async (_, answer) => {
    const { json, run, seen } = await withServer(ok(answer), ok(answer));
    expect(await json(['jobs', 'list'])).toEqual(answer);
    const { stdout } = await run(['jobs', 'list']);
    expect(stdout).toBe(
      'JOB\tTYPE\tSTATUS\tASSET\tCAPABILITIES\n' +
        'j/1\textract_facts\tpending\t\t\nj2\tother\tpending\t\tocr\n',
    );
    expect(seen[0]).toMatchObject({ url: '/api/v1/jobs', ...bearer(TOKEN) });
  });

  test('has a limit when one is asked for, also where the server knows none', async () => {
    const { json, seen } = await withServer(ok({ items: [JOB, second], next: 7 }));
    expect(await json(['jobs', 'list', '--limit', '1'])).toEqual({ items: [JOB], next: 7 });
    expect(seen[0]?.url).toBe('/api/v1/jobs?limit=1');
  });

  test('is asked for deeper until enough of it passes the filter', async () => {
    const others = Array.from({ length: 100 }, () => JOB);
    const { json, seen } = await withServer(ok(others), ok([...others, second]));
    expect(await json(['jobs', 'list', '--type', 'other'])).toEqual([second]);
    expect(seen.map(({ url }) => url)).toEqual([
      '/api/v1/jobs?limit=100',
      '/api/v1/jobs?limit=1000',
    ]);
  });
});

describe('a claim', () => {
  test('is a POST on the job, with what the server adds to its answer', async () => {
    const answer = { ...CLAIMED, locked_until: null, big: 1 };
    const { json, seen } = await withServer(ok(answer));
    expect(await json(['jobs', 'claim', 'j/1'])).toEqual(answer);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/api/v1/jobs/j%2F1/claim' });
  });

  test('without a lock token is a broken contract: 76', async () => {
    const { run } = await withServer(ok({ ...CLAIMED, lock_token: null }), ok([]));
    const { code, stderr } = await run(['jobs', 'claim', 'j/1']);
    expect(code).toBe(76);
    expect(stderr).toContain('lock_token');
  });

  test('that answers for another job, or with an end that is none', async () => {
    const other = ok({ ...CLAIMED, job_id: 'other' });
    const { run } = await withServer(other, ok([]), ok({ ...CLAIMED, locked_until: 'some day' }));
    expect((await run(['jobs', 'claim', 'j/1'])).code).toBe(76);
    const { code, stdout } = await run(['jobs', 'claim', 'j/1']);
    expect(code).toBe(0);
    expect(stdout).not.toContain('Until');
  });

  test('whose answer was lost is unknown: 75, and whether the job is still listed', async () => {
    const { run } = await withServer(hangUp, ok([JOB]), hangUp, ok({ items: [] }));
    const listed = await run(['jobs', 'claim', 'j/1']);
    expect(listed.code).toBe(75);
    expect(listed.stderr).toContain('Whether it claimed is unknown; the job can still be claimed.');
    const gone = await run(['jobs', 'claim', 'j/1']);
    expect(gone.stderr).toContain('the job is not, or no longer, listed.');
  });

  test('of the next one stops where an answer was lost: never two at a time', async () => {
    const list = [JOB, { ...JOB, job_id: 'j2' }];
    const { run, seen } = await withServer(ok(list), hangUp, ok(list));
    expect((await run(['jobs', 'claim', '--next'])).code).toBe(75);
    expect(seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('of the next one goes on to another when somebody else was faster', async () => {
    const taken = refusal(409, 'STATE_CONFLICT');
    const list = [JOB, { ...JOB, job_id: 'j2' }];
    const second = { ...CLAIMED, job_id: 'j2' };
    const { json, seen } = await withServer(ok(list), taken, ok(second));
    expect(await json(['jobs', 'claim', '--next'])).toMatchObject({ job_id: 'j2' });
    expect(seen.map(({ url }) => url)).toEqual([
      '/api/v1/jobs',
      '/api/v1/jobs/j%2F1/claim',
      '/api/v1/jobs/j2/claim',
    ]);
    expect(keyOf(seen[1])).not.toBe(keyOf(seen[2]));
  });

  test('of the next one gives up when others always are: 12', async () => {
    const rounds = Array.from({ length: 10 }, () => [ok([JOB]), refusal(409, 'STATE_CONFLICT')]);
    const { run } = await withServer(...rounds.flat());
    const { code, stderr } = await run(['jobs', 'claim', '--next']);
    expect(code).toBe(12);
    expect(stderr).toContain('There is no job left: others were faster at 10.');
  });
});

describe('a heartbeat', () => {
  test('hands back a fencing token, which is sent from then on', async () => {
    const kept = { locked_until: '2099-01-01T00:00:00Z', fencing_token: 6, extra: true };
    const { json, seen } = await withClaim(ok(kept), ok({ fencing_token: 7 }), EMPTY, EMPTY);
    expect(await json(['jobs', 'heartbeat', 'j/1'])).toEqual(kept);
    await json(['jobs', 'heartbeat', 'j/1']);
    expect(await json(['jobs', 'heartbeat', 'j/1'])).toBeNull();
    await json(SUBMIT);
    expect(seen.slice(1).map((request) => bodyOf(request).fencing_token)).toEqual([5, 6, 7, 7]);
    expect(seen[1]).toMatchObject({ url: '/api/v1/jobs/j%2F1/heartbeat' });
    expect(bodyOf(seen[1])).toEqual({ lock_token: LOCK, fencing_token: 5 });
  });

  test('of a server that does not fence sends no fencing token', async () => {
    const { json, seen } = await withServer(ok({ ...CLAIMED, fencing_token: null }), ok({}));
    await json(['jobs', 'claim', 'j/1']);
    await json(['jobs', 'heartbeat', 'j/1']);
    expect(bodyOf(seen[1])).toEqual({ lock_token: LOCK });
  });

  test('of many processes at once leaves the highest fencing token, and loses nothing', async () => {
    let current = 5;
    const server: Reply = (request, response) => {
      const { fencing_token } = JSON.parse(request.body);
      const isCurrent = fencing_token === current;
      if (isCurrent) current += 1;
      response.writeHead(isCurrent ? 200 : 409, { 'content-type': 'application/json' });
      const body = isCurrent
        ? { fencing_token: current }
        : { code: 'STALE_LOCK_TOKEN', message: 'No.' };
      // Varied, so that answers overtake one another.
      setTimeout(() => response.end(JSON.stringify(body)), Math.random() * 60);
    };
    const processes = 6;
    // How often they have to try again is theirs.
    const stub = await startLastingStub(ok(CLAIMED), server);
    const sandbox: Sandbox = createSandbox();
    await addProfile(sandbox, 'media', `${stub.url}/api/v1`, TOKEN, 'retaia');
    await sandbox.json(['jobs', 'claim', 'j/1']);
    const outcomes = await Promise.all(
      Array.from({ length: processes }, () => sandbox.run(['jobs', 'heartbeat', 'j/1'])),
    );
    expect(outcomes.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(outcomes.map(() => '0'));
    expect(current).toBe(5 + processes);
    await sandbox.json(['jobs', 'heartbeat', 'j/1']);
    expect(bodyOf(stub.seen.at(-1)).fencing_token).toBe(5 + processes);
  });

  test('with the handle in a file sends what earlier ones brought', async () => {
    const kept = (fencing_token: number) => ok({ fencing_token });
    const { run, seen, directory } = await withServer(kept(6), kept(7), kept(8));
    const file = join(directory, 'job.json');
    writeFileSync(file, JSON.stringify(CLAIMED));
    for (let beat = 1; beat <= 3; beat += 1) {
      expect((await run(['jobs', 'heartbeat', 'j/1', '--handle-file', file])).code).toBe(0);
    }
    expect(seen.map((request) => bodyOf(request).fencing_token)).toEqual([5, 6, 7]);
  });

  test('of a lease that was lost does not use the handle of another one', async () => {
    const stale = refusal(409, 'STALE_LOCK_TOKEN');
    const { run, json, seen } = await withClaim(
      // While it is asked, this machine claims the job anew.
      (_, response) => {
        void json(['jobs', 'claim', 'j/1']).then(() => {
          response.writeHead(409, { 'content-type': 'application/json' });
          response.end(JSON.stringify(Object(stale).body));
        });
      },
      ok({ ...CLAIMED, lock_token: 'another-lock', fencing_token: 6 }),
    );
    expect((await run(['jobs', 'heartbeat', 'j/1'])).code).toBe(14);
    expect(seen).toHaveLength(3);
  });

  test('that is refused as stale, with nothing newer known here, is a lost lease: 14', async () => {
    const { run } = await withClaim(refusal(409, 'STALE_LOCK_TOKEN'));
    const { code, stderr } = await run(['jobs', 'heartbeat', 'j/1']);
    expect(code).toBe(14);
    expect(stderr).toMatch(/Stop what relied on it/);
    expect(stderr).not.toContain(LOCK);
  });
});
