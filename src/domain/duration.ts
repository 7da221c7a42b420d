import { Failure } from './failure.ts';

const UNIT_SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/** Shortest and longest time to live of a lease, in seconds. */
export const TTL_RANGE = { min: 1, max: 30 * UNIT_SECONDS.d } as const;

const PATTERN = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/;

/**
 * Reads a duration as people write it: `90`, `90s`, `15m`, `1h30m`, `2d`.
 *
 * @param text what was given
 * @param name where it was given, for the message, e.g. `--ttl`
 * @returns whole seconds, within {@link TTL_RANGE}
 * @throws Failure `usage` for anything else
 */
export function parseDuration(text: string, name: string): number {
  const parts = PATTERN.exec(text.trim());
  const [days, hours, minutes, seconds] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const total =
    parts === null || text.trim() === ''
      ? Number.NaN
      : (days ?? 0) * UNIT_SECONDS.d +
        (hours ?? 0) * UNIT_SECONDS.h +
        (minutes ?? 0) * UNIT_SECONDS.m +
        (seconds ?? 0);
  if (total >= TTL_RANGE.min && total <= TTL_RANGE.max) return total;
  throw new Failure('usage', `${name} is no usable duration: ${JSON.stringify(text)}.`, {
    hint: 'Give 1s to 30d, for example 90, 90s, 15m, 1h30m or 2d.',
  });
}

/** Writes seconds as the two largest units that say it: `45s`, `1m 30s`, `2h`, `3d 4h`. */
export function formatDuration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [unit, size] of Object.entries(UNIT_SECONDS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(' ') || '0s';
}
