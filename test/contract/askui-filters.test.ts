import { describe, expect, test } from 'vitest';
import { type LeaseQuery, NONE, refusal, startAskUi } from './askui-service.ts';

const A = '0b5c1f7e-9d1c-4b7e-a1f3-2d6a4f0c9e11';
const B = '7c0e55b2-2a63-4d0d-9d55-54f1a1b0c2d3';

describe('the host', () => {
  test.each([
    ['SELF', 'ASKUI'],
    ['ASKUI', 'SELF'],
  ] as const)('has to be the job’s: %s', async (host, other) => {
    const { addRunnerJob, lease, leased } = await startAskUi();
    const id = await addRunnerJob({ host });
    expect(await lease({ runner_host: other })).toEqual(NONE);
    expect((await leased({ runner_host: host })).id).toBe(id);
  });

  test.each(['self', 'OTHER', '', 'SELF '])(
    'is refused when it is none: %j',
    async (runner_host) => {
      const { addRunnerJob, lease, leased } = await startAskUi();
      await addRunnerJob();
      expect(await lease({ runner_host })).toEqual(refusal(422, ['query', 'runner_host']));
      expect((await leased()).tries).toBe(1);
    },
  );
});

describe('the tags', () => {
  const fits = async (needed: string[], tags: string[] | undefined) => {
    const { addRunnerJob, lease } = await startAskUi();
    await addRunnerJob({ tags: needed });
    return (await lease({ tags })).body !== null;
  };

  test.each([
    [[], undefined],
    [[], ['a']],
    [['a'], ['a']],
    [['a'], ['b', 'a', 'c']],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
    [['a', 'a'], ['a']],
    [
      ['two words', 'ü/&=+,'],
      ['ü/&=+,', 'two words'],
    ],
    [[''], ['']],
  ])('of the job are all among the runner’s: %j in %j', async (needed, tags) => {
    expect(await fits(needed, tags)).toBe(true);
  });

  test.each([
    [['a'], undefined],
    [['a'], ['b']],
    [['a', 'b'], ['a']],
    [
      ['a', 'b'],
      ['a', 'c', 'd'],
    ],
    [['a'], ['A']],
    [['a,b'], ['a', 'b']],
    [['1'], ['1.0']],
    [['b'], ['ab']],
    [[''], undefined],
  ])('of the job are not all among the runner’s: %j in %j', async (needed, tags) => {
    expect(await fits(needed, tags)).toBe(false);
  });
});

describe('the workspace', () => {
  test('has to be the job’s when it is given', async () => {
    const { addRunnerJobs, lease, leased } = await startAskUi();
    const [, ofB] = await addRunnerJobs([{}, { workspace_id: B }]);
    expect(await lease({ workspace_id: A })).toEqual(NONE);
    expect((await leased({ workspace_id: B })).id).toBe(ofB);
    expect(await lease({ workspace_id: B })).toEqual(NONE);
  });

  test('may be any when none is given', async () => {
    const { addRunnerJobs, lease, leased } = await startAskUi();
    const ids = await addRunnerJobs([{ workspace_id: A }, {}, { workspace_id: B }]);
    const found = [await leased(), await leased(), await leased()].map(({ id }) => id);
    expect(found).toEqual(ids);
    expect(await lease()).toEqual(NONE);
  });

  test.each([
    [A, A.toUpperCase()],
    [A.toUpperCase(), A],
    [A.toUpperCase(), A.toUpperCase()],
  ])('is the same in capitals: %s and %s', async (workspace_id, asked) => {
    const { addRunnerJob, leased } = await startAskUi();
    const id = await addRunnerJob({ workspace_id });
    expect((await leased({ workspace_id: asked })).id).toBe(id);
  });

  test.each([
    ['of version 1', 'f47ac10b-58cc-11ee-8c99-0242ac120002'],
    ['of version 7', '018f3a3e-7b1c-7cc0-98d1-2a3b4c5d6e7f'],
    ['of no version', '11111111-1111-1111-1111-111111111111'],
    ['nil', '00000000-0000-0000-0000-000000000000'],
  ])('may be any UUID: %s', async (_, workspace_id) => {
    const { addRunnerJob, lease, leased } = await startAskUi();
    const id = await addRunnerJob({ workspace_id });
    expect(await lease({ workspace_id: A })).toEqual(NONE);
    expect((await leased({ workspace_id })).id).toBe(id);
  });

  test.each(['', 'w', `${A}0`, A.replaceAll('-', ''), `{${A}}`, ` ${A}`])(
    'is refused when it is no UUID: %j',
    async (workspace_id) => {
      const { addRunnerJob, lease, leased } = await startAskUi();
      await addRunnerJob();
      expect(await lease({ workspace_id })).toEqual(refusal(422, ['query', 'workspace_id']));
      expect((await leased()).tries).toBe(1);
    },
  );
});

describe('named runners', () => {
  test('get the job, and nobody else does', async () => {
    const { addRunnerJob, lease, leased } = await startAskUi();
    const id = await addRunnerJob({ runners: ['r1', 'r2'] });
    for (const runner_id of ['r3', 'R1', 'r', 'r1,r2']) {
      expect(await lease({ runner_id })).toEqual(NONE);
    }
    expect(await leased({ runner_id: 'r2' })).toMatchObject({ id, runner_id: 'r2' });
  });

  test('are offered others’ jobs too, those that are for everybody', async () => {
    const { addRunnerJobs, lease, leased } = await startAskUi();
    const [, own, anybodys] = await addRunnerJobs([{ runners: ['r1'] }, { runners: ['r2'] }, {}]);
    expect((await leased({ runner_id: 'r2' })).id).toBe(own);
    expect((await leased({ runner_id: 'r2' })).id).toBe(anybodys);
    expect(await lease({ runner_id: 'r2' })).toEqual(NONE);
  });
});

test('all filters have to be met at once', async () => {
  const { addRunnerJob, lease, leased } = await startAskUi();
  const id = await addRunnerJob({ host: 'ASKUI', tags: ['a'], workspace_id: A, runners: ['r1'] });
  const fitting: LeaseQuery = {
    runner_host: 'ASKUI',
    runner_id: 'r1',
    workspace_id: A,
    tags: ['a', 'b'],
  };
  const misfits = [{ runner_host: 'SELF' }, { runner_id: 'r2' }, { workspace_id: B }, { tags: [] }];
  for (const misfit of misfits) {
    expect(await lease({ ...fitting, ...misfit })).toEqual(NONE);
  }
  expect((await leased(fitting)).id).toBe(id);
});
