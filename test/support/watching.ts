import stringWidth from 'string-width';
import type { Sighting } from '../../src/insight/sighting.ts';
import { wrapped } from '../../src/output/checks.ts';
import { cutMiddle } from '../../src/output/table.ts';
import { visible } from '../../src/terminal/visible.ts';
import type { Change } from '../../src/watch/change.ts';
import { WatchModel } from '../../src/watch/model.ts';
import { type Line, TextCache } from '../../src/watch/piece.ts';
import type { Row } from '../../src/watch/row.ts';
import type { Happening, Place, Update } from '../../src/watch/update.ts';

/** When everything begins, by the service's clock; this machine's is some hours behind. */
export const BEGIN = Date.parse('2025-01-15T10:30:00Z');
export const BEHIND = 3 * 3_600_000;
export const PLACE: Place = {
  service: 'leasectl',
  profile: 'prod',
  location: 'https://a.example/',
};

export function seen(id: string, more: Partial<Sighting> = {}, place = PLACE): Update {
  const held: Sighting = {
    ...{ kind: 'key', id, state: 'held', at: BEGIN, version: 1, fencingToken: 1, ttl: 60_000 },
    ...{ acquiredAt: BEGIN, changedAt: BEGIN, endsAt: BEGIN + 60_000, holder: 'ci' },
  };
  return { type: 'seen', place, sighting: { ...held, ...more } };
}

export function happened(
  id: string,
  what: Happening['what'],
  more: Partial<Happening> = {},
): Update {
  const at = BEGIN + 1_000;
  const event = { kind: 'key', id, what, at, version: 2, fencingToken: 1 } as const;
  return { type: 'happened', place: PLACE, happening: { ...event, ...more } };
}

/** A model, and a clock of which both sides' times are told. */
export function createWatched(isAsked?: ConstructorParameters<typeof WatchModel>[0]) {
  const model = new WatchModel(isAsked);
  return {
    model,
    /** @param after milliseconds since the beginning */
    tell: (after: number, ...updates: readonly Update[]) =>
      model.apply(updates, BEGIN - BEHIND + after),
    tick: (after: number) => model.tick(BEGIN - BEHIND + after),
    /** The same, where the service was asked whether what time says is so. */
    confirmed: (after: number) => {
      const now = BEGIN - BEHIND + after;
      const told = model.tick(now);
      const looks = model.takeDoubts().map((row) => stillSo(row, BEGIN + after));
      return [...told, ...model.apply(looks, now), ...model.tick(now)];
    },
    row: (id: string): Row | undefined => [...model.rows.values()].find((row) => row.id === id),
  };
}

/** What the service tells of a lease of which nothing is new but that it ran out, if it did. */
function stillSo({ kind, id, place, endsAt, ...row }: Row, at: number): Update {
  const state = endsAt !== undefined && endsAt <= at ? 'expired' : 'held';
  const { version, fencingToken, changedAt, ttl } = row;
  const sighting = { kind, id, state, at, endsAt, version, fencingToken, changedAt, ttl } as const;
  return { type: 'seen', place, sighting };
}

export function namesOf(changes: readonly Change[]): string[] {
  return changes.map((change) =>
    'lease' in change ? `${change.type} ${change.lease.id}` : change.type,
  );
}

export const texts = () =>
  new TextCache({ safe: visible, widthOf: stringWidth, cut: cutMiddle, wrap: wrapped });

export function textOf(lines: readonly Line[]): string[] {
  return lines.map((line) =>
    line
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}
