import { parseDuration } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';

/** Longer ago than history is kept. */
const RANGE = { min: 1, max: 365 * 86_400 };

/**
 * A moment of the past, as people tell it: how long ago it was, or when.
 *
 * @param now milliseconds since 1970
 * @returns RFC 3339
 * @throws Failure `usage` for anything else
 */
export function parseSince(text: string, flag: string, now: number): string {
  if (/^\d+[a-z]*$/i.test(text)) {
    return new Date(now - parseDuration(text, flag, RANGE) * 1000).toISOString();
  }
  const milliseconds = Date.parse(text);
  if (!Number.isNaN(milliseconds)) return new Date(milliseconds).toISOString();
  throw new Failure('usage', `${flag} is no time: ${JSON.stringify(text)}.`, {
    hint: 'Give how long ago, like 15m or 2d, or a time, like 2025-01-15T10:30:00Z.',
  });
}
