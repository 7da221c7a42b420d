import { describe, expect, test } from 'vitest';
import { History } from '../../src/services/admin/wire.ts';
import { createAdminService, refusal } from './admin-service.ts';

describe('the history', () => {
  test('tells what happened, who did it and why, the latest first', async () => {
    const { caller, clock } = createAdminService();
    const admin = await caller('default');
    await admin.leased('k');
    clock.advance(5_000);
    await admin.ask('POST /admin/v1/lease/break', { kind: 'key', id: 'k' }, { reason: 'gone' });
    const { events, next } = await admin.get(History, '/history', { id: 'k' });
    expect(next).toBeNull();
    const [broken, acquired] = events;
    expect(events).toHaveLength(2);
    expect(broken).toEqual({
      sequence: expect.any(Number),
      kind: 'key',
      id: 'k',
      type: 'broken',
      at: '2025-01-15T10:30:05.000Z',
      before: 'held',
      after: 'expired',
      fencing_token: 1,
      version: 2,
      caller: expect.stringMatching(/^caller-/),
      request_id: null,
      detail: { reason: 'gone' },
    });
    expect(acquired).toMatchObject({ type: 'acquired', at: '2025-01-15T10:30:00.000Z' });
    expect(acquired?.sequence).toBeLessThan(broken?.sequence ?? 0);
  });

  test('is chosen from by what it is of, and had in pieces', async () => {
    const admin = await createAdminService().caller('default');
    for (const key of ['a', 'b/c', 'd']) await admin.leased(key);
    const jobs = await admin.jobIds(2);
    for (const job of jobs) await admin.claimed(job);
    const idsOf = async (query: Readonly<Record<string, string>>) =>
      (await admin.get(History, '/history', query)).events.map(({ id }) => id);
    expect(await idsOf({ kind: 'key' })).toEqual(['d', 'b/c', 'a']);
    expect(await idsOf({ kind: 'key', type: 'extended,refused' })).toEqual([]);
    expect(await idsOf({ kind: 'key', since: '2025-01-15T10:30:00Z' })).toHaveLength(3);
    expect(await idsOf({ kind: 'key', since: '2025-01-15T10:30:00.001Z' })).toEqual([]);
    expect(await idsOf({ kind: 'job', type: 'acquired' })).toEqual(jobs.toReversed());
    expect(await idsOf({ id: 'b/c' })).toEqual(['b/c']);
    const first = await admin.get(History, '/history', { limit: '2' });
    expect(first.events.map(({ id }) => id)).toEqual(jobs.toReversed());
    const query = { before: String(first.next), limit: '5' };
    const rest = await admin.get(History, '/history', query);
    // As they were added, and before that leased.
    expect(rest.events.map(({ id }) => id)).toEqual([...jobs.toReversed(), 'd', 'b/c', 'a']);
    expect(rest.next).toBe(null);
  });

  test('of an id is that of all that has it', async () => {
    const admin = await createAdminService().caller('default');
    const [id = ''] = await admin.jobIds(1);
    await admin.claimed(id);
    await admin.leased(id);
    const kindsOf = async (query: Readonly<Record<string, string>>) =>
      (await admin.get(History, '/history', { id, ...query })).events.map(({ kind }) => kind);
    expect(await kindsOf({})).toEqual(['key', 'job', 'job']);
    expect(await kindsOf({ kind: 'job' })).toEqual(['job', 'job']);
    const { next } = await admin.get(History, '/history', { id, limit: '1' });
    expect(await kindsOf({ before: String(next) })).toEqual(['job', 'job']);
  });

  test.each<Record<string, string>>([
    { type: 'stolen' },
    { type: 'acquired,' },
    { since: 'yesterday' },
    { kind: 'x' },
    { before: '-1' },
    { before: 'x' },
    { limit: '2000' },
    { id: '' },
  ])('refuses %j', async (query) => {
    const admin = await createAdminService().caller('default');
    const refused = await admin.ask('GET /admin/v1/history', query);
    expect(refused).toMatchObject(refusal(422, 'invalid_request'));
  });
});

describe('namespaces', () => {
  test('see and change nothing of one another', async () => {
    const service = createAdminService();
    const [one, other] = [await service.caller('one'), await service.caller('other')];
    await one.leased('k');
    await one.jobIds(2);
    await one.ask('POST /admin/v1/tokens', {}, { name: 't', scope: 'admin' });
    await one.ask('POST /admin/v1/clients', {}, { name: 'c', scope: 'jobs:claim' });
    const before = (await one.ask('GET /admin/v1/leases')).text;
    expect((await other.ask('GET /admin/v1/leases')).body).toMatchObject({
      leases: [],
      next: null,
    });
    expect((await other.ask('GET /admin/v1/history')).body).toMatchObject({ events: [] });
    expect((await other.ask('GET /admin/v1/clients')).body).toEqual([]);
    expect((await other.ask('GET /admin/v1/tokens')).text).not.toContain('"t"');
    const refused = [
      await other.ask('GET /admin/v1/lease', { kind: 'key', id: 'k' }),
      await other.ask('POST /admin/v1/lease/break', { kind: 'key', id: 'k' }),
      await other.ask('POST /admin/v1/tokens/revoke', { name: 't' }),
      await other.ask('DELETE /admin/v1/clients', { name: 'c' }),
    ];
    for (const reply of refused) expect(reply).toMatchObject(refusal(404, 'not_found'));
    expect((await one.ask('GET /admin/v1/leases')).text).toBe(before);
    // Names are a namespace's own.
    const same = await other.ask('POST /admin/v1/tokens', {}, { name: 't', scope: 'admin' });
    expect(same).toMatchObject({ status: 201, body: { namespace: 'other' } });
  });
});
