/** A wall clock: milliseconds since 1970-01-01T00:00:00Z. */
export type Clock = () => number;

/**
 * Milliseconds by a clock that nobody sets. As `performance.now`, whose module takes longer to load than a
 * request to this machine takes.
 */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
