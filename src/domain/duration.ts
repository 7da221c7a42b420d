import { Failure } from './failure.ts';

const UNIT_SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/** Shortest and longest time, in seconds. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What a lease may live. */
export const TTL_RANGE: Range = { min: 1, max: 30 * UNIT_SECONDS.d };

const PATTERN = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/;

/**
 * Reads a duration as people write it: `90`, `90s`, `15m`, `1h30m`, `2d`.
 *
 * @param text what was given
 * @param name where it was given, for the message, e.g. `--ttl`
 * @param range what is allowed; what a lease may live unless it is given
 * @returns whole seconds, within the range
 * @throws Failure `usage` for anything else
 */
export function parseDuration(text: string, name: string, range = TTL_RANGE): number {
  const parts = PATTERN.exec(text.trim());
  const [days, hours, minutes, seconds] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const total =
    parts === null || text.trim() === ''
      ? Number.NaN
      : (days ?? 0) * UNIT_SECONDS.d +
        (hours ?? 0) * UNIT_SECONDS.h +
        (minutes ?? 0) * UNIT_SECONDS.m +
        (seconds ?? 0);
  if (total >= range.min && total <= range.max) return total;
  const [min, max] = [range.min, range.max].map(formatDuration);
  throw new Failure('usage', `${name} is no usable duration: ${JSON.stringify(text)}.`, {
    hint: `Give ${min} to ${max}, written like 90, 90s, 15m, 1h30m or 2d.`,
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
