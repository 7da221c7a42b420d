/** A wall clock: milliseconds since 1970-01-01T00:00:00Z. */
export type Clock = () => number;

let told = { at: Number.NaN, text: '' };

/** As `Date.toISOString`, which takes long: what happens together is told as of one moment. */
export function isoTime(at: number): string {
  if (at !== told.at) told = { at, text: new Date(at).toISOString() };
  return told.text;
}

/**
 * Milliseconds by a clock that nobody sets. As `performance.now`, whose module takes longer to load than a
 * request to this machine takes.
 */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
