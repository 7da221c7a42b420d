import { describe, expect, test } from 'vitest';
import { createExecHost } from '../support/exec-host.ts';
import { SERVED, serveWork } from '../support/exec-service.ts';
import {
  away,
  HANDLE,
  hosted,
  hostedExec,
  ID,
  KINDS,
  made,
  refused,
  resultFor,
  TOKEN,
} from '../support/exec-stub.ts';
import { hangUp } from '../support/hosted-client.ts';
import type { Reply } from '../support/stub-server.ts';

describe.each(KINDS)('$name, hosted', ({ name, take, keep, finish }) => {
  test('gets what it knows, and no more than it is asked for', async () => {
    const { stub, host, exec } = await hostedExec(name);
    const command = 'echo "$LEASECTL_FENCING_TOKEN/$LEASECTL_PROFILE/$LEASECTL_TOKEN"';
    const outcome = await exec([], 'sh', '-c', `${resultFor(name)}; ${command}`).outcome;
    // The address has no name that would lead leasectl in the command there.
    const tokens = { onceonly: '7', retaia: '5', askui: '' };
    expect(outcome).toMatchObject({ code: 0, stdout: `${tokens[name]}//\n`, stderr: '' });
    expect(stub.to(take)).toHaveLength(1);
    expect(stub.to(keep)).toHaveLength(0);
    const [request, ...others] = stub.to(finish);
    expect(others).toEqual([]);
    const bodies = {
      onceonly: { key: ID, lease_id: HANDLE, result: { pages: 3 } },
      retaia: {
        lock_token: HANDLE,
        fencing_token: 5,
        job_type: 'extract_facts',
        result: { facts_patch: { pages: 3 } },
      },
      askui: { status: 'PASSED' },
    };
    expect(JSON.parse(request?.body ?? '')).toEqual(bodies[name]);
    expect(request?.headers.authorization).toMatch(/^(Bearer|Basic) /);
    expect(host.held()).toEqual([]);
  });

  test('whose answer to the acquisition is lost: unknown, 75, and nothing is run', async () => {
    const { stub, host, exec } = await hostedExec(name, 60, { [take]: hangUp });
    for (const flags of [[], ['--wait', '1h'], ['--conflict-exit-code', '0']]) {
      const outcome = await exec(flags, 'echo', 'ran').outcome;
      expect(outcome).toMatchObject({ code: 75, stdout: '' });
      expect(outcome.stderr).toMatch(/Whether it (acquired|claimed|leased a job) is unknown/);
    }
    expect(stub.to(take)).toHaveLength(3);
    expect(host.workFiles()).toEqual([]);
  });

  test('that refuses the token: 4, and nothing is run', async () => {
    const { exec } = await hostedExec(name, 60, { [take]: refused });
    const outcome = await exec(['--wait', '1h'], 'echo', 'ran').outcome;
    expect(outcome).toMatchObject({ code: 4, stdout: '' });
    expect(outcome.stderr).not.toContain(TOKEN);
  });
});

describe('hosted services', () => {
  test('that say 429 are asked again when they want to be', async () => {
    const later: Reply = { status: 429, headers: { 'retry-after': '1' }, body: {} };
    await Promise.all(
      KINDS.map(async ({ name, take, finish, replies }) => {
        const twice = (endpoint: string) => [later, replies[endpoint] ?? later];
        const { stub, exec } = await hostedExec(name, 60, {
          [take]: twice(take),
          [finish]: twice(finish),
        });
        const outcome = await exec([], 'sh', '-c', `${resultFor(name)}; echo ran`).outcome;
        expect(outcome).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
        for (const endpoint of [take, finish]) {
          const [first, second, ...others] = stub.to(endpoint);
          expect(others).toEqual([]);
          expect(Number(second?.at) - Number(first?.at)).toBeGreaterThan(990);
        }
      }),
    );
  });

  test('that fail for a while: the lease is kept, for they are asked again and again', async () => {
    await Promise.all(
      KINDS.map(async ({ name, keep, finish }) => {
        const replies = hosted(6).find((kind) => kind.name === name)?.replies ?? {};
        const { stub, exec } = await hostedExec(name, 6, {
          [keep]: [away, refused, hangUp, replies[keep] ?? away],
          [finish]: [hangUp, away, replies[finish] ?? away],
        });
        const line = `sleep 5; ${resultFor(name)}`;
        const { code, stderr } = await exec(['--json', '--grace', '1s'], 'sh', '-c', line).outcome;
        expect({ code, stderr }).toMatchObject({ code: 0 });
        const events = stderr
          .trimEnd()
          .split('\n')
          .map((text) => JSON.parse(text));
        const names = events.map(({ event }) => event);
        expect(names.slice(0, 2)).toEqual(['acquired', 'renewal_failed']);
        expect(names.slice(names.indexOf('renewed'))).toEqual([
          ...names.filter((event) => event === 'renewed'),
          'child_exit',
          'finish_failed',
          'finish_failed',
          'finished',
        ]);
        expect(events[1]).toEqual({
          event: 'renewal_failed',
          time: expect.any(String),
          code: expect.stringMatching(/^(unavailable|unauthorized)$/),
          message: expect.any(String),
          stop_at: expect.stringMatching(/^\d{4}-.*Z$/),
        });
        expect(stub.to(finish)).toHaveLength(3);
        expect(stderr).not.toContain(HANDLE);
        expect(stderr).not.toContain(TOKEN);
      }),
    );
  });
});

test('a newer fencing token is what the end of a job is told with', async () => {
  const { stub, exec } = await hostedExec('retaia', 3);
  expect((await exec([], 'sh', '-c', `sleep 1.5; ${resultFor('retaia')}`).outcome).code).toBe(0);
  const tokenIn = (endpoint: string) => JSON.parse(stub.to(endpoint)[0]?.body ?? '').fencing_token;
  expect([tokenIn('heartbeat'), tokenIn('submit')]).toEqual([5, 6]);
});

test('a runner job that is to be canceled is stopped, and told so: 8', async () => {
  const visible = () => new Date(Date.now() + 3_000).toISOString();
  const { stub, exec } = await hostedExec('askui', 3, {
    ping: made(() => ({ visible: visible(), cancel_job: true })),
  });
  const { code, stderr } = await exec(['--json'], 'sleep', '60').outcome;
  expect(code).toBe(8);
  expect(stub.to('complete').map(({ body }) => body)).toEqual(['{"status":"CANCELED"}']);
  expect(stderr).toContain('{"event":"canceled","time":');
});

test.each(SERVED)(
  'where the service is leasectl’s own, a lost answer of %s is found again',
  async (name) => {
    const host = createExecHost();
    const service = await serveWork(name, 60);
    service.loseAnswer();
    const exec = host.leasectl([...service.words, '--', 'echo', 'ran'], service);
    expect(await exec.outcome).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
    expect(service.asked.filter((path) => /\/(lease|claim)$/.test(path))).toHaveLength(2);
    expect(service.stored()).toMatchObject({ ending: 'complete', leases: 1 });
  },
);
