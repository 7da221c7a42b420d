import { Failure } from './domain/failure.ts';

/** Largest number of things that a flag may ask for. */
const MAX = 100_000;

/**
 * @param flag for the message, e.g. `--limit`
 * @throws Failure `usage` for anything but a whole number from 1 to the most
 */
export function parseCount(text: string, flag: string, most = MAX): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= most) return count;
  throw new Failure('usage', `${flag} is no usable number: ${JSON.stringify(text)}.`, {
    hint: `Give a whole number from 1 to ${most}.`,
  });
}
