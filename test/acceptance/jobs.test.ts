import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** Adds jobs and tells their ids, oldest first. */
async function added({ json }: Sandbox, ...flags: string[]): Promise<string[]> {
  const jobs = Object(await json(['admin', 'jobs', 'add', ...flags]));
  return jobs.map((job: { job_id: string }) => job.job_id);
}

async function claimed(sandbox: Sandbox, type = 'extract_facts') {
  await added(sandbox, '--type', type);
  const job = Object(await sandbox.json(['jobs', 'claim', '--next']));
  return { id: String(job.job_id), lockToken: String(job.lock_token), job };
}

const idsOf = (answer: unknown) => Object(answer).map((job: { job_id: string }) => job.job_id);

describe('a job from its beginning to its end', () => {
  test('is added, listed, claimed, kept and submitted', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const ids = await added(sandbox, '--type', 'extract_facts', '--count', '2');
    expect(idsOf(await json(['jobs', 'list']))).toEqual(ids);
    const [first = '', second = ''] = ids;
    const job = Object(await json(['jobs', 'claim', first]));
    expect(job).toMatchObject({ job_id: first, status: 'claimed', fencing_token: 1 });
    expect(idsOf(await json(['jobs', 'list']))).toEqual([second]);
    expect(await json(['jobs', 'heartbeat', first])).toEqual({
      locked_until: expect.any(String),
      fencing_token: 1,
    });
    const submitted = await run(['jobs', 'submit', first, '--patch', '{"a": 1}']);
    expect(submitted).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `Job\t${first}\nStatus\tcompleted\nProfile\tlocal\n`,
    });
    // Its handle is forgotten: nothing more is to be done with it.
    expect((await run(['jobs', 'submit', first, '--patch', '{"a": 1}'])).code).toBe(2);
    expect((await run(['jobs', 'claim', first])).code).toBe(7);
  });

  test('fails for good, or may be claimed again', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const { id } = await claimed(sandbox);
    const back = await json(['jobs', 'fail', id, '--error-code', 'oom', '--retryable']);
    expect(back).toMatchObject({ job_id: id, status: 'pending', fencing_token: 1 });
    expect(await json(['jobs', 'claim', '--next'])).toMatchObject({
      job_id: id,
      fencing_token: 2,
    });
    const failed = await json(['jobs', 'fail', id, '--error-code', 'bad_input']);
    expect(failed).toMatchObject({ status: 'failed' });
    expect(await run(['jobs', 'claim', '--next'])).toMatchObject({ code: 12, stdout: '' });
  });
});

describe('claiming', () => {
  test('what somebody else holds: 11; what is finished or unknown: 7; nothing: 12', async () => {
    const sandbox = createSandbox();
    const { run } = sandbox;
    const { id } = await claimed(sandbox);
    const held = await run(['jobs', 'claim', id]);
    expect(held).toMatchObject({ code: 11, stdout: '' });
    expect(held.stderr).toContain(`${id} is held by this machine already.`);
    const env = { XDG_STATE_HOME: join(sandbox.directory, 'elsewhere') };
    const elsewhere = await run(['jobs', 'claim', id], { env });
    expect(elsewhere.code).toBe(11);
    expect(elsewhere.stderr).toContain(`${id}: Somebody else holds the job`);
    await sandbox.json(['jobs', 'submit', id, '--patch', '{}']);
    expect((await run(['jobs', 'claim', id])).code).toBe(7);
    expect((await run(['jobs', 'claim', 'no-such-job'])).code).toBe(7);
    expect((await run(['jobs', 'claim', '--next'])).code).toBe(12);
    expect((await run(['jobs', 'claim'])).code).toBe(2);
    expect((await run(['jobs', 'claim', id, '--next'])).code).toBe(2);
    expect((await run(['jobs', 'claim', id, '--type', 't'])).code).toBe(2);
  });

  test('the next of a type, however many others come first', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    await added(sandbox, '--type', 'extract_facts', '--count', '120');
    const [wanted] = await added(sandbox, '--type', 'rare', '--capability', 'ocr');
    expect(idsOf(await json(['jobs', 'list', '--type', 'rare']))).toEqual([wanted]);
    const list = ['jobs', 'list', '--type', 'rare', '--capability'];
    expect(idsOf(await json([...list, 'gpu']))).toEqual([]);
    expect(idsOf(await json([...list, 'gpu', '--capability', 'ocr']))).toEqual([wanted]);
    const claim = ['jobs', 'claim', '--next', '--type', 'rare'];
    expect((await run([...claim, '--capability', 'gpu'])).code).toBe(12);
    expect(await json(claim)).toMatchObject({ job_id: wanted });
    const none = await run(claim);
    expect(none.stderr).toContain('There is no job to claim of type rare.');
  });

  test('30 processes at once get a job each, and no job is left', async () => {
    const sandbox = createSandbox();
    const ids = await added(sandbox, '--type', 't', '--count', '30');
    const outcomes = await Promise.all(
      ids.map(() => sandbox.run(['jobs', 'claim', '--next', '--json'])),
    );
    expect(outcomes.map(({ code }) => code)).toEqual(ids.map(() => 0));
    const taken = outcomes.map(({ stdout }) => JSON.parse(stdout).job_id);
    expect(taken.sort()).toEqual([...ids].sort());
  });
});

describe('the handle', () => {
  test('comes from a file or stdin, alone or as the answer that it came in', async () => {
    const sandbox = createSandbox();
    const other = createSandbox();
    const { id, lockToken, job } = await claimed(sandbox);
    const file = join(sandbox.directory, 'job.json');
    // Another machine, with the same database.
    const env = { XDG_DATA_HOME: join(sandbox.directory, 'data') };
    const heartbeat = (flags: string[], input = '') =>
      other.run(['jobs', 'heartbeat', id, ...flags], { env, input });
    expect((await heartbeat([])).code).toBe(2);
    expect((await heartbeat(['--lock-token-stdin'], `${lockToken}\n`)).code).toBe(0);
    expect((await heartbeat(['--lock-token-stdin'], JSON.stringify(job))).code).toBe(0);
    writeFileSync(file, JSON.stringify(job));
    expect((await heartbeat(['--handle-file', file])).code).toBe(0);
    expect((await heartbeat(['--handle-file', file, '--fencing-token', '2'])).code).toBe(14);
    expect((await heartbeat(['--handle-file', `${file}.no`])).code).toBe(2);
    writeFileSync(file, JSON.stringify({ ...job, lock_token: 'lock_other' }));
    const lost = await heartbeat(['--handle-file', file]);
    expect(lost.code).toBe(14);
    expect(lost.stderr).not.toContain('lock_other');
    writeFileSync(file, JSON.stringify({ ...job, job_id: 'another' }));
    expect((await heartbeat(['--handle-file', file])).stderr).toContain('is of job another');
    const submit = ['jobs', 'submit', id, '--lock-token-stdin', '--facts', '{}'];
    const untyped = await other.run(submit, { env, input: lockToken });
    expect(untyped.stderr).toContain('Give it with --job-type.');
    const typed = await other.run([...submit, '--job-type', 'extract_facts'], {
      env,
      input: lockToken,
    });
    expect(typed.code).toBe(0);
  });

  test('is nowhere but in --json', async () => {
    const sandbox = createSandbox();
    await added(sandbox, '--type', 't');
    const { stdout, stderr } = await sandbox.run(['jobs', 'claim', '--next']);
    expect(stdout + stderr).not.toContain('lock_');
    expect(stdout).toContain('Fencing token\t1');
  });

  test.each(['0', '-1', '1.5', 'x', ''])('has no fencing token %j', async (text) => {
    const { run } = createSandbox();
    const args = ['jobs', 'heartbeat', 'j', '--lock-token-stdin', `--fencing-token=${text}`];
    expect((await run(args, { input: 'lock_1' })).code).toBe(2);
  });
});

describe('a submission', () => {
  test.each([
    ['extract_facts', 'facts_patch'],
    ['generate_proxy', 'derived_patch'],
    ['transcribe_audio', 'transcript_patch'],
  ])('of %s puts --patch into %s', async (type, patch) => {
    const sandbox = createSandbox();
    const { id } = await claimed(sandbox, type);
    const metrics = [
      '--metric',
      'n=1.5',
      '--metric',
      'ok=true',
      '--metric',
      'id=12345678901234567890',
      '--metric',
      'x=1e999',
    ];
    const args = ['jobs', 'submit', id, '--patch', '{"a": 1}', '--warning', 'w', ...metrics];
    await sandbox.json(args);
    const { default: Database } = await import('libsql');
    const db = new Database(sandbox.databaseFile);
    const [row] = db.prepare('SELECT finish_result AS result FROM leases').all().map(Object);
    db.close();
    expect(JSON.parse(row?.result)).toEqual({
      [patch]: { a: 1 },
      warnings: ['w'],
      metrics: { n: 1.5, ok: true, id: '12345678901234567890', x: '1e999' },
    });
  });

  test('that the type does not own is refused with 6, of a type that nobody knows with 2', async () => {
    const sandbox = createSandbox();
    const { id } = await claimed(sandbox);
    const foreign = await sandbox.run(['jobs', 'submit', id, '--derived', '{}']);
    expect(foreign.code).toBe(6);
    expect(foreign.stderr).toContain('A job of type extract_facts takes no derived_patch');
    const { id: strange } = await claimed(sandbox, 'strange');
    expect((await sandbox.run(['jobs', 'submit', strange, '--patch', '{}'])).code).toBe(2);
    expect((await sandbox.run(['jobs', 'submit', strange, '--derived', '{}'])).code).toBe(0);
    // What was refused stands in nobody's way.
    expect((await sandbox.run(['jobs', 'submit', id, '--facts', '{}'])).code).toBe(0);
  });
});

test.each([
  [['claim', '']],
  [['claim', '..']],
  [['claim', '.']],
  [['list', '--type', '']],
  [['list', '--capability', 'a', '--capability', '']],
  [['list', '--limit', '0']],
  [['submit', 'ID', '--patch', '{}', '--facts', '{}']],
  [['submit', 'ID', '--metric', 'a']],
  [['submit', 'ID', '--patch', '{}', '--idempotency-key', 'a\nb']],
  [['submit', 'ID', '--patch', '{}', '--idempotency-key', 'ü']],
  [['fail', 'ID']],
  [['fail', 'ID', '--error-code', '']],
  [['--json', 'list']],
])('jobs %j is refused with 2', async (words) => {
  const sandbox = createSandbox();
  const { id } = await claimed(sandbox);
  const args = words.map((word) => (word === 'ID' ? id : word));
  const { code, stdout } = await sandbox.run(['jobs', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect((await sandbox.run(['jobs', 'heartbeat', id])).code).toBe(0);
});

describe('admin jobs add', () => {
  test('reads one job from each line, all of them or none', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const lines = [
      { job_type: 'a', asset_uuid: 'asset-1', required_capabilities: ['x'] },
      { job_type: 'b', source: { storage_id: 's', original_relative: 'o' } },
    ].map((line) => JSON.stringify(line));
    const bad = [...lines, '{"job_typ": "c"}'].join('\n');
    const refused = await run(['admin', 'jobs', 'add', '--file', '-'], { input: bad });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/stdin, line 3: .*job_typ/);
    expect(await json(['jobs', 'list'])).toEqual([]);
    const file = join(sandbox.directory, 'jobs.ndjson');
    writeFileSync(file, `${lines.join('\n')}\n\n`);
    await json(['admin', 'jobs', 'add', '-f', file]);
    expect(await json(['jobs', 'list'])).toMatchObject([
      { job_type: 'a', asset_uuid: 'asset-1', required_capabilities: ['x'] },
      { job_type: 'b', source: { storage_id: 's', original_relative: 'o' } },
    ]);
  });

  test.each([
    [[]],
    [['--type', '']],
    [['--type', 't', '--count', '0']],
    [['--type', 't', '--count', 'x']],
    [['--type', 't', '--file', '-']],
    [['--type', 't', '--source', '[]']],
    [['--type', 't', '--ttl', '0s']],
    [['--asset', 'a']],
    [['--file', '/no/such/file']],
  ])('refuses %j', async (flags) => {
    const { run } = createSandbox();
    expect(await run(['admin', 'jobs', 'add', ...flags])).toMatchObject({ code: 2, stdout: '' });
  });
});

test('a job without the patch that its type owns is not finished: 6', async () => {
  const sandbox = createSandbox();
  const { id } = await claimed(sandbox);
  const { code, stderr } = await sandbox.run(['jobs', 'submit', id, '--metric', 'n=1']);
  expect({ code, stderr }).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('A job of type extract_facts needs a facts_patch'),
  });
});

test('a lease lasts two minutes, unless the job was added with another time', async () => {
  const sandbox = createSandbox();
  const claim = async () => {
    const job = Object(await sandbox.json(['jobs', 'claim', '--next']));
    return (Date.parse(job.locked_until) - Date.now()) / 1000;
  };
  await added(sandbox, '--type', 't');
  const usual = await claim();
  expect(usual).toBeGreaterThan(100);
  expect(usual).toBeLessThanOrEqual(120);
  await added(sandbox, '--type', 't', '--ttl', '1h');
  expect(await claim()).toBeGreaterThan(3_500);
});

test('an object that is nested too deeply is refused with 2', async () => {
  const sandbox = createSandbox();
  const { id } = await claimed(sandbox);
  const input = `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`;
  const { code, stderr } = await sandbox.run(['jobs', 'submit', id, '--facts', '-'], { input });
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--facts is nested deeper than 256 levels.'),
  });
  const lines = await sandbox.run(['admin', 'jobs', 'add', '--type', 't', '--source', '{"x": 1}']);
  expect(lines.stderr).toContain('Unrecognized key');
});
