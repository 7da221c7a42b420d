/** What a request tells of the service's clock. Milliseconds since 1970. */
export interface Sample {
  /** When it left, and when its answer had come, by this machine's clock. */
  readonly sent: number;
  readonly received: number;
  /** What the `Date` header of the answer says: the begin of a second in which it was written. */
  readonly told: number;
}

/** How far this machine's clock is ahead of the service's, in milliseconds: between these two. */
export interface Skew {
  readonly least: number;
  readonly most: number;
}

/** What a `Date` header leaves open, in milliseconds: it has whole seconds. */
const WHOLE = 1_000;

/**
 * What several samples leave possible. Where they contradict one another, because more than one clock
 * answers, or one was set meanwhile, all that any of them allows.
 */
export function skewOf(samples: readonly Sample[]): Skew | undefined {
  const ranges = samples.map(({ sent, received, told }) => ({
    least: sent - told - WHOLE,
    most: received - told,
  }));
  if (ranges.length === 0) return undefined;
  const [lows, highs] = [ranges.map(({ least }) => least), ranges.map(({ most }) => most)];
  const common = { least: Math.max(...lows), most: Math.min(...highs) };
  if (common.least <= common.most) return common;
  return { least: Math.min(...lows), most: Math.max(...highs) };
}

/** How far the clocks are apart at least. */
export function leastApart({ least, most }: Skew): number {
  return Math.max(0, least, -most);
}
