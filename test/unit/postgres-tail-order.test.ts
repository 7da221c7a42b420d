import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Placed, tellable } from '../../src/store/postgres/tail-order.ts';

const rowOf = (sequence: number, id: string, is_settled = true, type = 'acquired'): Placed => ({
  ...{ kind: 'key', id, type, sequence, is_settled },
});

test('what is settled is told, up to the limit', () => {
  const rows = [rowOf(1, 'a'), rowOf(3, 'b'), rowOf(2, 'c'), rowOf(4, 'd', false)];
  expect(tellable(rows, 10)).toBe(3);
  expect(tellable(rows, 2)).toBe(2);
  expect(tellable([], 10)).toBe(0);
});

test('what another change of the lease has to precede is kept back, with all behind it', () => {
  expect(tellable([rowOf(1, 'b'), rowOf(5, 'a'), rowOf(2, 'c'), rowOf(4, 'a', false)], 10)).toBe(1);
  // What is kept back keeps back more.
  const chain = [rowOf(9, 'b'), rowOf(5, 'a'), rowOf(8, 'b'), rowOf(4, 'a', false)];
  expect(tellable(chain, 10)).toBe(0);
  // Also what is beyond the limit.
  expect(tellable([rowOf(1, 'b'), rowOf(5, 'a'), rowOf(4, 'a')], 2)).toBe(1);
});

test('who was refused need not have waited', () => {
  expect(tellable([rowOf(5, 'a', true, 'refused'), rowOf(4, 'a', false)], 10)).toBe(1);
  expect(tellable([rowOf(5, 'a'), rowOf(4, 'a', false, 'refused')], 10)).toBe(1);
});

test('however it is looked at, all of a lease is told in order, and in the end all', () => {
  const lease = fc.constantFrom('a', 'b', 'c');
  const rows = fc
    .uniqueArray(fc.record({ sequence: fc.nat(60), id: lease }), {
      selector: (row) => row.sequence,
    })
    .map((all) => all.map(({ sequence, id }) => rowOf(sequence, id)));
  const looks = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 10 })), { maxLength: 20 });
  fc.assert(
    fc.property(rows, looks, (all, settling) => {
      const told: Placed[] = [];
      const times = settling.toSorted(([one], [other]) => one - other);
      for (const [settled, limit] of [...times, [all.length, 100] as const]) {
        const rest = all.slice(told.length).map((row, index) => {
          return { ...row, is_settled: told.length + index < settled };
        });
        const now = rest.slice(0, tellable(rest, limit));
        told.push(...now.toSorted((one, other) => one.sequence - other.sequence));
      }
      expect(told.map(({ sequence }) => sequence).toSorted()).toEqual(
        all.map(({ sequence }) => sequence).toSorted(),
      );
      for (const id of ['a', 'b', 'c']) {
        const own = told.filter((row) => row.id === id).map(({ sequence }) => sequence);
        expect(own).toEqual(own.toSorted((one, other) => one - other));
      }
    }),
  );
});
