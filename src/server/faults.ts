import { Failure } from '../domain/failure.ts';
import { didYouMean, sentences } from '../domain/nearest.ts';

/*
 * Faults that the service makes on purpose, for people who test what their workers do then: which
 * there are, and how they are written, e.g. `lose=10s,rate-limit=5%,seed=42`.
 */

/** Milliseconds, at least and at most. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

export interface Faults {
  /** When a lease is broken, counted from its acquisition; undefined for never. */
  readonly lose: Span | undefined;
  /** How likely it is, in percent, that a request is refused as one too many. */
  readonly rateLimit: number;
  /** How long a request waits before it is looked at; undefined for not at all. */
  readonly latency: Span | undefined;
  /** How likely it is, in percent, that a request is done, but its connection cut instead of answered. */
  readonly dropAnswer: number;
  /** With the same one, the same requests in the same order have the same fate. */
  readonly seed: number;
}

export const FAULT_NAMES = ['lose', 'rate-limit', 'latency', 'drop-answer', 'seed'] as const;
type FaultName = (typeof FAULT_NAMES)[number];

const EXAMPLE = 'lose=10s,rate-limit=5%,latency=200ms..2s,drop-answer=1%,seed=42';
const FORM_OF_SPANS = 'Give a time like 200ms, 10s or 5m, or two of them as 200ms..2s; at most';
const FORM_OF_CHANCES = 'Give the part of the requests, from 0.001% to 100%.';
const FORM_OF_SEEDS = 'Give a whole number from 0 to 4294967295.';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
/** A connection on which nothing moves for 120 s is cut: what is late is to be answered before. */
const LONGEST = { lose: 24 * UNITS.h, latency: 100 * UNITS.s };
const MAX_SEED = 2 ** 32 - 1;

/**
 * Reads faults as they are written for `--fault`.
 *
 * @param newSeed makes a seed where none is given
 * @throws Failure `usage` for anything else
 */
export async function parseFaults(text: string, newSeed: () => number): Promise<Faults> {
  const given = new Map<FaultName, string>();
  for (const part of text.split(',').map((word) => word.trim())) {
    const [, typed = part, value = ''] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    const name = FAULT_NAMES.find((known) => known === typed.trim());
    if (name === undefined) throw await unknown(typed.trim());
    if (given.has(name)) throw unusable(`${name} is given twice.`, `Give each once: ${EXAMPLE}`);
    given.set(name, value.trim());
  }
  const seed = given.get('seed');
  const faults = {
    lose: span('lose', given.get('lose')),
    rateLimit: chance('rate-limit', given.get('rate-limit')),
    latency: span('latency', given.get('latency')),
    dropAnswer: chance('drop-answer', given.get('drop-answer')),
    seed: seed === undefined ? newSeed() : parseSeed(seed),
  };
  if (given.size === 1 && seed !== undefined) {
    throw unusable('a seed alone makes no fault.', `Name a fault as well: ${EXAMPLE}`);
  }
  return faults;
}

/** As `parseFaults` reads it, with the seed. */
export function describeFaults({ lose, rateLimit, latency, dropAnswer, seed }: Faults): string {
  const parts = [
    lose && `lose=${spanWords(lose)}`,
    rateLimit > 0 && `rate-limit=${rateLimit}%`,
    latency && `latency=${spanWords(latency)}`,
    dropAnswer > 0 && `drop-answer=${dropAnswer}%`,
    `seed=${seed}`,
  ];
  return parts.filter(Boolean).join(',');
}

function span(name: keyof typeof LONGEST, text: string | undefined): Span | undefined {
  if (text === undefined) return undefined;
  const [first = '', second = first, ...more] = text.split('..');
  const [low, high] = [milliseconds(first), milliseconds(second)];
  const longest = LONGEST[name];
  const isUsable = more.length === 0 && low > 0 && low <= high && high <= longest;
  if (isUsable) return { low, high };
  const form = `${FORM_OF_SPANS} ${timeWords(longest)}.`;
  throw unusable(`${name} is no usable time: ${quoted(text)}.`, form);
}

/** Not a number for what is no time. */
function milliseconds(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text.trim()) ?? [];
  const found = Object.entries(UNITS).find(([name]) => name === unit);
  return found ? Math.round(Number(digits) * found[1]) : Number.NaN;
}

function chance(name: FaultName, text: string | undefined): number {
  if (text === undefined) return 0;
  const [, digits = ''] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  const part = Number(digits);
  if (part >= 0.001 && part <= 100) return part;
  throw unusable(`${name} is no usable part: ${quoted(text)}.`, FORM_OF_CHANCES);
}

function parseSeed(text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seed <= MAX_SEED) return seed;
  throw unusable(`seed is no usable number: ${quoted(text)}.`, FORM_OF_SEEDS);
}

async function unknown(typed: string): Promise<Failure> {
  const known = `Known are ${FAULT_NAMES.join(', ')}: ${EXAMPLE}`;
  const meant = await didYouMean(typed, FAULT_NAMES);
  return unusable(`there is no fault ${quoted(typed)}.`, sentences(meant, known));
}

function unusable(what: string, hint: string): Failure {
  return new Failure('usage', `--fault: ${what}`, { hint });
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function spanWords({ low, high }: Span): string {
  return low === high ? timeWords(low) : `${timeWords(low)}..${timeWords(high)}`;
}

/** In the largest unit that says it with a whole number. */
function timeWords(time: number): string {
  const fits = Object.entries(UNITS).filter(([, size]) => time % size === 0);
  const [unit, size] = fits.at(-1) ?? ['ms', 1];
  return `${time / size}${unit}`;
}
