import { expect, onTestFinished, test } from 'vitest';
import { type BreakPorts, breakLease } from '../../src/break/lease.ts';
import { Context } from '../../src/context.ts';
import { openLeaseView } from '../../src/look/lease.ts';
import { systemClocks } from '../../src/supervise/moment.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startTeamService } from '../support/team-service.ts';

interface Breaking {
  /** Default: k. */
  readonly id?: string;
  /** Milliseconds. */
  readonly observe: number;
  /** Happens between the first look and the observing. */
  readonly meanwhile?: () => Promise<unknown>;
  /** Happens after so many looks, before anybody knows what was seen. */
  readonly afterLook?: readonly [looks: number, change: () => Promise<unknown>];
}

/** Breaks the lease on a key, while something else happens to it. */
async function breakIt(sandbox: Sandbox, breaking: Breaking) {
  const { id = 'k', observe, meanwhile, afterLook } = breaking;
  const { env } = sandbox;
  const context = new Context(Object.assign(Object.create(process), { env }));
  onTestFinished(() => context.close());
  const options = { profile: undefined, timeout: 5_000, version: '0' };
  const opened = await openLeaseView(context, { id }, options);
  let looks = 0;
  const look = async () => {
    const seen = await opened.look();
    looks += 1;
    if (looks === afterLook?.[0]) await afterLook[1]();
    return seen;
  };
  const view = { ...opened, look };
  const ports: BreakPorts = {
    clocks: systemClocks,
    tell: () => undefined,
    show: () => undefined,
    isMeant: async () => {
      await meanwhile?.();
      return true;
    },
  };
  return breakLease(context, { view, reason: 'r', observe }, ports);
}

/** A machine whose keys are here, or at what is known to it as this service. */
async function machineWith(service: string | undefined): Promise<Sandbox> {
  const sandbox = createSandbox();
  if (service === undefined) return sandbox;
  const team = await startTeamService();
  const token = await team.token('ci', 'admin', 'keys:read', 'keys:write');
  await addProfile(sandbox, 'team', team.url, token, service);
  return sandbox;
}

/** A key tells everybody how long it wants to be left alone: there it takes some seconds. */
const PLACES: readonly [string, string | undefined, string][] = [
  ['the embedded service', undefined, 'break'],
  ['what leasectl serves', 'leasectl', 'break'],
  ['OnceOnly', 'onceonly', 'cancel'],
];

test.each(PLACES)('at %s: what nobody touches is broken', async (_, service, way) => {
  const sandbox = await machineWith(service);
  await sandbox.json(['lease', 'k']);
  expect(await breakIt(sandbox, { observe: 0 })).toMatchObject({
    outcome: 'broken',
    way,
    observed: 0,
  });
});

test.each(PLACES)('at %s: whoever acquired it since keeps it', async (_, service) => {
  const sandbox = await machineWith(service);
  await sandbox.json(['lease', 'k', '--ttl', '1s']);
  const acquired = async () => (await sandbox.run(['lease', 'k'])).code === 0;
  const change = () => expect.poll(acquired, { timeout: 10_000 }).toBe(true);
  const breaking = breakIt(sandbox, { observe: 0, meanwhile: async () => change() });
  await expect(breaking).rejects.toMatchObject({
    code: 'held',
    message: expect.stringContaining("Key k is another's by now"),
  });
  expect((await sandbox.run(['extend', 'k'])).code).toBe(0);
});

test.each(PLACES)(
  'at %s: a renewal while it was asked counts, too',
  { timeout: 20_000 },
  async (_, scope) => {
    const sandbox = await machineWith(scope);
    await sandbox.json(['lease', 'k']);
    const renew = () => sandbox.json(['extend', 'k', '--ttl', '30s']);
    await expect(breakIt(sandbox, { observe: 1_000, meanwhile: renew })).rejects.toMatchObject({
      code: 'held',
    });
    expect((await sandbox.run(['extend', 'k'])).code).toBe(0);
  },
);

test.each(PLACES)('at %s: what its holder finished is not broken', async (_, service) => {
  const sandbox = await machineWith(service);
  await sandbox.json(['lease', 'k']);
  const complete = () => sandbox.json(['complete', 'k']);
  expect(await breakIt(sandbox, { observe: 0, meanwhile: complete })).toMatchObject({
    ...{ outcome: 'ended', way: null, state: 'completed' },
  });
});

test('a renewal after the last look is seen by the service', async () => {
  const sandbox = await machineWith(undefined);
  await sandbox.json(['lease', 'k']);
  const renew = () => sandbox.json(['extend', 'k']);
  // At the beginning, half a second later, and at the end.
  const last = breakIt(sandbox, { observe: 1_000, afterLook: [3, renew] });
  await expect(last).rejects.toMatchObject({
    code: 'held',
    message: expect.stringContaining('Key k is not stuck'),
  });
  // Who does not observe does not ask for that.
  const only = await breakIt(sandbox, { observe: 0, afterLook: [1, renew] });
  expect(only).toMatchObject({ outcome: 'broken' });
});

test('that its holder is asked to stop after the last look saves it from nothing', async () => {
  const sandbox = await machineWith(undefined);
  await sandbox.json(['admin', 'runner-jobs', 'add']);
  const { id } = Object(await sandbox.json(['runner-jobs', 'lease', '--runner-id', 'r']));
  const cancel = () => sandbox.json(['admin', 'runner-jobs', 'cancel', id]);
  const broken = breakIt(sandbox, { id, observe: 1_000, afterLook: [3, cancel] });
  expect(await broken).toMatchObject({ kind: 'runner_job', outcome: 'broken' });
});
