/** How many callers there are before those that have not asked for a while are forgotten. */
const MANY = 1000;

interface Bucket {
  /** Requests that may still be made at `at`. */
  left: number;
  at: number;
}

export interface RateLimit {
  /** Counts a request. @returns seconds after which to try again; undefined where it may be made */
  take(caller: string): number | undefined;
  /** Looks at what {@link take} would say, and counts nothing. */
  wait(caller: string): number | undefined;
}

/**
 * Bounds how often each caller may ask, by a token bucket that a second fills.
 *
 * @param rate requests in a second
 * @param now milliseconds, on a clock that nobody sets
 */
export function createRateLimit(rate: number, now: () => number): RateLimit {
  const buckets = new Map<string, Bucket>();
  const leftIn = ({ left, at }: Bucket, time: number) =>
    Math.min(rate, left + ((time - at) * rate) / 1000);
  const forget = (time: number) => {
    for (const [caller, bucket] of buckets) {
      if (leftIn(bucket, time) >= rate) buckets.delete(caller);
    }
  };
  const waitFor = (left: number) => (left < 1 ? Math.ceil((1 - left) / rate) : undefined);
  return {
    wait(caller) {
      const bucket = buckets.get(caller);
      return bucket && waitFor(leftIn(bucket, now()));
    },
    take(caller) {
      const time = now();
      const bucket = buckets.get(caller) ?? { left: rate, at: time };
      if (!buckets.has(caller)) {
        if (buckets.size >= MANY) forget(time);
        buckets.set(caller, bucket);
      }
      bucket.left = leftIn(bucket, time);
      bucket.at = time;
      const wait = waitFor(bucket.left);
      if (wait === undefined) bucket.left -= 1;
      return wait;
    },
  };
}
