import type { Facts, Happening } from '../../src/insight/facts.ts';
import type { Sighting } from '../../src/insight/sighting.ts';

/** When it is looked at. */
export const NOW = Date.parse('2026-11-22T12:00:00Z');
/** Milliseconds before that. */
export const ago = (seconds: number) => NOW - seconds * 1000;

/** A lease of a minute that was acquired half a minute ago. */
export function sighting(more: Partial<Sighting> = {}): Sighting {
  return {
    ...{ kind: 'key', id: 'deploy', state: 'held', at: NOW, ttl: 60_000 },
    ...{ acquiredAt: ago(30), endsAt: ago(-30), fencingToken: 1, version: 1 },
    ...more,
  };
}

export function facts(
  seen: Partial<Sighting> = {},
  more: Partial<Omit<Facts, 'sighting'>> = {},
): Facts {
  const unknown = { history: undefined, held: undefined, origin: undefined, process: 'unknown' };
  return { sighting: sighting(seen), ...unknown, ...more } as Facts;
}

/** @param seconds how long ago it was */
export function event(
  type: string,
  seconds: number,
  more: Partial<Omit<Happening, 'type' | 'at'>> = {},
): Happening {
  return { fencingToken: 1, version: 1, ...more, type, at: ago(seconds) };
}

/** As a service tells them: the latest first. */
export function history(...events: readonly Happening[]): readonly Happening[] {
  return events.toSorted((one, other) => other.at - one.at);
}

/** Renewals of one acquisition, so many seconds ago each. */
export function renewed(...seconds: readonly number[]): Happening[] {
  return seconds.map((since, index) => event('extended', since, { version: index + 2 }));
}
