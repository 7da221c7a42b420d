import type { Context } from '../context.ts';
import type { Transport } from '../http/transport.ts';
import { leastApart, type Sample, type Skew, skewOf } from './clock-skew.ts';
import { about, command, type Finding, type Mend } from './finding.ts';
import type { Subject } from './subject.ts';

/** How often it is asked. */
const TIMES = 3;
/** What a clock may be off before it is worth a word, and before leases suffer, in milliseconds. */
const NOTABLE = 2_000;
const GRAVE = 30_000;

export interface AskOptions {
  readonly version: string;
  /** What all of it may take, in milliseconds. */
  readonly timeout: number;
}

/**
 * Asks a service for its base URL, without any token: whatever it answers, it took so long, and tells
 * the time.
 *
 * @throws Failure when it does not answer
 */
export async function measure(
  context: Context,
  subject: Subject,
  options: AskOptions,
): Promise<Finding[]> {
  const { transport, close } = await openTransport(context, subject, options);
  const end = performance.now() + options.timeout;
  const times: number[] = [];
  const samples: Sample[] = [];
  try {
    for (let count = 0; count < TIMES; count += 1) {
      const begun = performance.now();
      const sent = context.now();
      const timeout = Math.max(1, end - begun);
      const { headers } = await transport(REQUEST, { repeatable: false, timeout });
      times.push(performance.now() - begun);
      const told = Date.parse(headers['date'] ?? '');
      // What a cache kept tells when that was.
      const isOld = Number(headers['age'] ?? 0) > 0;
      if (!Number.isNaN(told) && !isOld) samples.push({ sent, received: context.now(), told });
    }
  } finally {
    await close();
  }
  return [toldTimes(subject, times), toldSkew(subject, skewOf(samples))];
}

const REQUEST = {
  method: 'GET',
  path: '',
  query: new URLSearchParams(),
  headers: { 'cache-control': 'no-cache' },
  body: '',
} as const;

export async function openTransport(
  context: Context,
  { url, network, ways }: Subject,
  { version, timeout }: AskOptions,
): Promise<{ transport: Transport; close: () => Promise<void> }> {
  const [{ createKyTransport }, { createCarrier }] = await Promise.all([
    import('../http/ky-transport.ts'),
    import('../http/carrier.ts'),
  ]);
  const { env, redactor } = context;
  const remember = (secret: string) => redactor.add(secret);
  const carrier = await createCarrier({ url, env, files: network, remember });
  const transport = createKyTransport({
    service: ways[0]?.service ?? 'the service',
    baseUrl: url,
    userAgent: `leasectl/${version}`,
    timeout,
    trace: await context.trace(),
    fetch: carrier?.fetch,
  });
  return { transport, close: async () => carrier?.close() };
}

function toldTimes({ name }: Subject, times: readonly number[]): Finding {
  const shown = times.map((time) => time.toFixed(0)).join(', ');
  const median = [...times].sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
  const detail = `${median.toFixed(0)} ms, the median of ${shown}`;
  return about('round trip', name).ok(detail, { round_trip_ms: median });
}

function toldSkew({ name }: Subject, skew: Skew | undefined): Finding {
  const clock = about('clock', name);
  if (!skew) return clock.ok('not known: the service tells no time');
  const middle = (skew.least + skew.most) / 2;
  const resolution = (skew.most - skew.least) / 2;
  const measured = { skew_ms: middle, skew_resolution_ms: resolution };
  const side = middle > 0 ? 'ahead of' : 'behind';
  const apart = `${inSeconds(Math.abs(middle))} ${side} the service's, give or take ${inSeconds(resolution)}`;
  const least = leastApart(skew);
  if (least > GRAVE) return clock.fail(apart, setClock(), measured);
  if (least > NOTABLE) return clock.warn(apart, setClock(), measured);
  return clock.ok(
    Math.abs(middle) <= resolution
      ? `like the service's, give or take ${inSeconds(resolution)}`
      : apart,
    measured,
  );
}

function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function setClock(): Mend {
  switch (process.platform) {
    case 'linux':
      return command('sudo', 'timedatectl', 'set-ntp', 'true');
    case 'darwin':
      return command('sudo', 'sntp', '-sS', 'time.apple.com');
    default:
      return { advice: "Set this machine's clock, if it is not the service's that is wrong." };
  }
}
