import type { HttpAnswer } from './transport.ts';

/**
 * How long a service asks to be left alone.
 *
 * @param now wall clock, milliseconds since 1970
 * @returns milliseconds, at least 0; undefined when it does not say, or nothing sensible
 */
export function retryAfter(headers: HttpAnswer['headers'], now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (!value) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}
