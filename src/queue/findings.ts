import { formatDuration } from '../domain/duration.ts';
import { quoted } from '../domain/shell.ts';
import { USUAL_LEASE } from '../lease-end.ts';
import { cutMiddle } from '../output/table.ts';
import type { Standing, TypeTold } from './standing.ts';

/** What there is to say about a queue, and what to do about it. */
export interface QueueFinding {
  readonly code:
    | 'empty'
    | 'never_claimed'
    | 'idle'
    | 'retried'
    | 'ran_out'
    | 'failed'
    | 'at_work'
    | 'untold';
  readonly message: string;
  /** A command to be copied; null where there is nothing to do. */
  readonly next: string | null;
}

/** Types that are told of one by one, at most. */
const MOST_TYPES = 10;
/** Seconds without a claim from which on nobody seems to be at work. */
const IDLE = USUAL_LEASE / 1000;
/** Columns that a name gets in a sentence, and characters in a command. */
const LONGEST = 64;

/**
 * What stands out, the worst first.
 *
 * @param profile to be named in commands; undefined where they need none
 */
export function findingsOf(standing: Standing, profile: string | undefined): QueueFinding[] {
  const place = profile === undefined ? '' : ` --profile ${quoted(profile)}`;
  return found(standing).map((finding) => ({
    ...finding,
    next: finding.next === null ? null : finding.next + place,
  }));
}

function found(standing: Standing): QueueFinding[] {
  const { source, pending, claimed } = standing;
  if (source === 'claimable') return [untold(pending)];
  const wrong = [unclaimed, idle, retried, ranOut, failed].flatMap((look) => look(standing));
  if (pending === 0) return [...wrong, { code: 'empty', message: 'Nothing waits.', next: null }];
  if (wrong.length > 0) return wrong;
  const message = claimed
    ? `The queue moves: ${counted(claimed, 'job is', 'jobs are')} being worked on.`
    : `The queue moves: the last claim was ${agoOf(standing)}.`;
  return [{ code: 'at_work', message, next: null }];
}

function untold(pending: number): QueueFinding {
  const message =
    pending === 0
      ? 'Nothing can be claimed. Which jobs are held, done or failed, this service does not tell.'
      : 'Since when they wait, and who claims what, this service does not tell.';
  return { code: 'untold', message, next: pending === 0 ? null : 'leasectl jobs list' };
}

/** Types of which something waits, and that nobody had as long as anybody remembers. */
function unclaimed({ types }: Standing): QueueFinding[] {
  const waiting = types.filter((type) => type.pending > 0 && type.last_claimed_at === null);
  return waiting.slice(0, MOST_TYPES).map((type) => {
    const jobs = `${counted(type.pending, 'job', 'jobs')} of type ${short(type.job_type ?? '')}`;
    const wait = type.pending === 1 ? 'waits' : 'wait';
    const message = `${jobs} ${wait}, and nobody is known who ever claimed any${lacking(type)}.`;
    return { code: 'never_claimed', message, next: claimOf(type) };
  });
}

function lacking({ unclaimed_capabilities: lacks }: TypeTold): string {
  return lacks && lacks.length > 0 ? `, nor any that needs ${short(lacks.join(', '))}` : '';
}

/** @returns null where nobody could type it */
function claimOf({ job_type, required_capabilities }: TypeTold): string | null {
  const names = [job_type ?? '', ...required_capabilities];
  if (!names.every(canBeTyped)) return null;
  const needs = required_capabilities.map((name) => ` --capability ${quoted(name)}`);
  return `leasectl jobs claim --next --type ${quoted(job_type ?? '')}${needs.join('')}`;
}

function canBeTyped(name: string): boolean {
  return name.length <= LONGEST && !/^-|\p{C}/u.test(name);
}

/** Nobody has any, nor claimed one lately, though something waits. */
function idle(standing: Standing): QueueFinding[] {
  const { pending, claimed, last_claimed_at, last_claimed_by } = standing;
  if (pending === 0 || claimed !== 0 || last_claimed_at === null) return [];
  // Between short jobs nobody has one either.
  if (silenceOf(standing) < IDLE) return [];
  const by = last_claimed_by === null ? '' : `, by ${short(last_claimed_by)}`;
  const message = `Nobody works: the last claim was ${agoOf(standing)}${by}.`;
  return [{ code: 'idle', message, next: 'leasectl jobs claim --next' }];
}

/** How long nobody has claimed anything, in seconds; NaN where the service tells no times. */
function silenceOf({ now, last_claimed_at }: Standing): number {
  return (Date.parse(now) - Date.parse(last_claimed_at ?? '')) / 1000;
}

function agoOf(standing: Standing): string {
  const seconds = silenceOf(standing);
  return Number.isNaN(seconds) ? 'some time ago' : `${formatDuration(seconds)} ago`;
}

/** Work that goes in circles. That it failed, and was not only given back, its history tells. */
function retried({ retried: count, most_retried_id: id }: Standing): QueueFinding[] {
  if (!count || id === null) return [];
  const message =
    count === 1
      ? '1 job was taken three times or more, and is not done: it may fail again and again.'
      : `${count} jobs were taken three times or more, and are not done: they may fail again and again.`;
  const next = canBeTyped(id) ? `leasectl why ${quoted(id)} --kind job` : null;
  return [{ code: 'retried', message, next }];
}

function ranOut({ ran_out: count }: Standing): QueueFinding[] {
  if (!count) return [];
  const leases = `${counted(count, 'lease', 'leases')} ran out before the work was done`;
  const why = count === 1 ? 'its holder is' : 'their holders are';
  const message = `${leases}: ${why} gone, or too slow. Somebody else can claim.`;
  const next = 'leasectl admin leases list --kind job --state expired';
  return [{ code: 'ran_out', message, next }];
}

function failed({ failed: count }: Standing): QueueFinding[] {
  if (!count) return [];
  const message = `${counted(count, 'job', 'jobs')} failed for good.`;
  const next = 'leasectl admin leases list --kind job --state failed';
  return [{ code: 'failed', message, next }];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** So that a sentence stays one, whatever its names are. */
function short(name: string): string {
  return cutMiddle(name, LONGEST);
}
