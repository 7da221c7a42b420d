/** A line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/**
 * Reads Prometheus' text format.
 *
 * @throws Error for a line that is none of it, and for a series or a description that is there twice
 */
export function parseMetrics(text: string): Sample[] {
  const seen = new Set<string>();
  const once = (key: string) => {
    if (seen.has(key)) throw new Error(`${key} is there twice`);
    seen.add(key);
  };
  const samples: Sample[] = [];
  for (const line of text.split('\n').filter(Boolean)) {
    const [, described] = /^#( (?:HELP|TYPE) \S+) \S/.exec(line) ?? [];
    if (described !== undefined) {
      once(described);
      continue;
    }
    const [, name = '', list = '', value = ''] = SAMPLE.exec(line) ?? [];
    const labels = [...list.matchAll(LABEL)].map(([, label, text]) => [label, text] as const);
    const isWhole = [...list.matchAll(LABEL)].map(([match]) => match).join('') === list;
    if (!name || !isWhole) throw new Error(`${line} is no metric`);
    once(line.slice(0, line.lastIndexOf(' ')));
    samples.push({ name, labels: Object.fromEntries(labels), value: Number(value) });
  }
  return samples;
}

/** The value of the series with this name and these labels, among others; undefined without one. */
export function sampleOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`there are ${found.length} of ${name}`);
  return found[0]?.value;
}
