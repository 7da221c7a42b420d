import { expect, test } from 'vitest';
import { JOB, ok, withServer } from '../support/hosted-jobs.ts';
import { json, NASTY, once, startRaw } from '../support/hostile.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startTeamService } from '../support/team-service.ts';

async function codes({ json: answer }: Pick<Sandbox, 'json'>, ...flags: string[]) {
  const { findings } = Object(await answer(['jobs', 'why', ...flags]));
  return findings.map(({ code }: { code: string }) => code);
}

const add = ({ json: answer }: Sandbox, type: string, ...more: string[]) =>
  answer(['admin', 'jobs', 'add', '--type', type, ...more]);

test('what keeps a queue from moving is said, with what to do', async () => {
  const sandbox = createSandbox();
  expect(await codes(sandbox)).toEqual(['empty']);
  await add(sandbox, 'a', '--count', '2');
  expect(await codes(sandbox)).toEqual(['never_claimed']);
  const job = Object(await sandbox.json(['jobs', 'claim', '--next']));
  expect(await codes(sandbox)).toEqual(['at_work']);
  await sandbox.json(['jobs', 'fail', job.job_id, '--error-code', 'e']);
  expect(await codes(sandbox)).toEqual(['failed']);
  await add(sandbox, 'b', '--capability', 'a b', '--ttl', '1s');
  const { findings } = Object(await sandbox.json(['jobs', 'why']));
  const { message, next } = findings[0];
  expect(message).toBe(
    '1 job of type b waits, and nobody is known who ever claimed any, nor any that needs a b.',
  );
  expect(next).toBe("leasectl jobs claim --next --type b --capability 'a b'");
  const claim = ['jobs', 'claim', '--next', '--type', 'b', '--capability', 'a b'];
  await sandbox.json(claim);
  await expect.poll(() => codes(sandbox), { timeout: 10_000 }).toContain('ran_out');
});

test('a job that fails again and again is told of, and where to look', async () => {
  const sandbox = createSandbox();
  const [job] = Object(await add(sandbox, 'a'));
  const exec = ['jobs', 'exec', '--next', '--retryable-exit', '9', '--', 'sh', '-c', 'exit 9'];
  for (let time = 0; time < 3; time += 1) await sandbox.run(exec);
  const { findings } = Object(await sandbox.json(['jobs', 'why']));
  expect(findings).toMatchObject([
    { code: 'retried', next: `leasectl why ${job.job_id} --kind job` },
  ]);
});

test('it is shown in whole and by type', async () => {
  const sandbox = createSandbox();
  await add(sandbox, 'extract_facts', '--count', '2');
  await add(sandbox, 'thumbs', '--capability', 'gpu');
  await sandbox.json(['jobs', 'claim', '--next', '--type', 'extract_facts']);
  const { stdout, stderr } = await sandbox.run(['jobs', 'why', '--utc']);
  const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g;
  const shown = stdout
    .replace(time, 'TIME')
    .replace(/\((now|\d+s ago)\)/g, '(AGO)')
    .replace(/\bjob_\w+/, 'JOB')
    .replaceAll(/\S+@\S+/g, 'USER');
  expect({ shown, stderr }).toEqual({
    stderr: '',
    shown: [
      'Pending\t2',
      'Oldest\tJOB',
      'Waits since\tTIME (AGO)',
      'Claimed\t1',
      'Done\t0',
      'Failed\t0',
      'Last claim\tTIME (AGO) by USER',
      '',
      'TYPE\tNEEDS\tPENDING\tOLDEST\tCLAIMED\tDONE\tFAILED\tLAST CLAIM',
      'extract_facts\t\t1\tTIME\t1\t0\t0\tTIME USER',
      'thumbs\tgpu\t1\tTIME\t0\t0\t0\tnever',
      '',
      '1 job of type thumbs waits, and nobody is known who ever claimed any, nor any that needs gpu.',
      '  → leasectl jobs claim --next --type thumbs --capability gpu',
      '',
    ].join('\n'),
  });
});

test('a served queue is told to a token with scope admin, else what can be claimed', async () => {
  const team = await startTeamService();
  await team.addWork();
  const sandbox = createSandbox();
  const agent = await team.token('agent', 'jobs:claim');
  await addProfile(sandbox, 'team', team.url, await team.token('admin', 'admin'), 'leasectl');
  await addProfile(sandbox, 'agent', team.url, agent, 'leasectl');
  const why = async (...flags: string[]) => Object(await sandbox.json(['jobs', 'why', ...flags]));
  const told = await why('--profile', 'team');
  expect(told).toMatchObject({ source: 'jobs', pending: 1, claimed: 0 });
  expect(told.findings[0].next).toBe(
    'leasectl jobs claim --next --type extract_facts --profile team',
  );
  expect(await why('--profile', 'agent')).toMatchObject({
    ...{ source: 'claimable', pending: 1, claimed: null, oldest_pending_id: 'job_1' },
    findings: [{ code: 'untold', next: 'leasectl jobs list --profile agent' }],
  });
  const { stderr } = await sandbox.run(['jobs', 'why', '--profile', 'agent']);
  expect(stderr).toBe(
    'Scope admin is missing. Only the list of jobs that can be claimed is told.\n',
  );
});

test('a server that is not ours tells by its list alone', async () => {
  const others = { ...JOB, job_id: 'j2', required_capabilities: ['gpu', 'a'] };
  const {
    json: answer,
    run,
    seen,
  } = await withServer(ok([JOB, others, { job_id: 'j3' }]), ok({ items: [JOB] }));
  const counts = { pending: 1, claimed: null, last_claimed_at: null, unclaimed_capabilities: null };
  expect(await answer(['jobs', 'why'])).toMatchObject({
    ...{ source: 'claimable', counted: 3, is_whole: true, pending: 3, failed: null },
    ...{ oldest_pending_id: 'j/1', oldest_pending_at: null },
    types: [
      { job_type: 'extract_facts', required_capabilities: [], ...counts },
      { job_type: 'extract_facts', required_capabilities: ['a', 'gpu'], ...counts },
      { job_type: null, required_capabilities: [], ...counts },
    ],
  });
  expect(seen[0]?.url).toBe('/api/v1/jobs?limit=10000');
  expect((await run(['jobs', 'why'])).stdout).toBe(
    [
      'Pending\t1',
      'Oldest\tj/1',
      '',
      'TYPE\tNEEDS\tPENDING',
      'extract_facts\t\t1',
      '',
      'Since when they wait, and who claims what, this service does not tell.',
      '  → leasectl jobs list',
      '',
    ].join('\n'),
  );
});

test.each([
  ['control characters', NASTY],
  ['names of 100 kilobytes', 'long '.repeat(20_000)],
])('%s act on nothing', async (_, text) => {
  const counts = { pending: 1, ran_out: 1, claimed: 0, completed: 1, failed: 1, retried: 1 };
  const times = { oldest_pending_at: text, last_claimed_at: text, last_claimed_by: text };
  const type = {
    ...{ ...counts, ...times, job_type: text, required_capabilities: [text] },
    unclaimed_capabilities: [text],
  };
  const queue = {
    ...{ kind: text, now: text, counted: 1, is_whole: true, oldest_pending_id: text },
    most_retried_id: text,
    ...{ ...counts, ...times, types: [type, { ...type, last_claimed_at: null }] },
    types_left_off: 1,
  };
  for (const more of [[], ['--json'], ['--wide']]) {
    const { url } = await startRaw(once(json(queue)));
    const env = {
      ...{ LEASECTL_URL: url, LEASECTL_SERVICE: 'leasectl' },
      LEASECTL_TOKEN: 'canary-token-53',
    };
    const shown = await createSandbox().run(['jobs', 'why', ...more], { env });
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout.replace(/[\n\t]/g, '')).not.toMatch(
      /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u,
    );
    if (more.includes('--json')) expect(JSON.parse(shown.stdout)).toMatchObject(queue);
  }
});
