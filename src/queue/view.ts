import { wrapped } from '../output/checks.ts';
import type { Style } from '../output/style.ts';
import { grouped, renderDetails, renderList } from '../output/table.ts';
import { pastTime, shownPast } from '../output/time.ts';
import { visible } from '../terminal/visible.ts';
import type { QueueFinding } from './findings.ts';
import type { Standing, TypeTold } from './standing.ts';

/** How people read how a queue stands: in whole, by type, and what stands out. */
export function renderStanding(
  standing: Standing,
  findings: readonly QueueFinding[],
  style: Style,
): string {
  const parts = [
    renderDetails(details(standing, style), style),
    standing.types.length > 0 ? types(standing, style) : '',
    findings.map((finding) => findingLines(finding, style)).join('\n'),
  ];
  return parts.filter(Boolean).join('\n\n');
}

function details(standing: Standing, style: Style) {
  const { pending, ran_out, oldest_pending_at: since, last_claimed_at, last_claimed_by } = standing;
  const now = Date.parse(standing.now);
  const number = (count: number | null) => count && grouped(count);
  const claimed = last_claimed_at && pastTime(last_claimed_at, now, style);
  return [
    ['Pending', `${grouped(pending)}${ran_out ? ` (${grouped(ran_out)} of them ran out)` : ''}`],
    ['Oldest', standing.oldest_pending_id],
    ['Waits since', since && pastTime(since, now, style)],
    ['Claimed', number(standing.claimed)],
    ['Done', number(standing.completed)],
    ['Failed', number(standing.failed)],
    ['Last claim', claimed && (last_claimed_by ? `${claimed} by ${last_claimed_by}` : claimed)],
    [
      'Counted',
      standing.is_whole ? undefined : `the latest ${grouped(standing.counted)} jobs only`,
    ],
  ] as const;
}

const COUNTED = ['TYPE', 'NEEDS', 'PENDING', 'OLDEST', 'CLAIMED', 'DONE', 'FAILED', 'LAST CLAIM'];
const LISTED = ['TYPE', 'NEEDS', 'PENDING'];

function types({ source, types: all, now, types_left_off }: Standing, style: Style): string {
  const isCounted = source === 'jobs';
  const rows = all.map((type) => {
    const row = [type.job_type ?? '', type.required_capabilities.join(','), type.pending];
    return isCounted ? [...row, ...counts(type, Date.parse(now), style)] : row;
  });
  const list = renderList(isCounted ? COUNTED : LISTED, rows, style);
  return types_left_off > 0 ? `${list}\n… and ${grouped(types_left_off)} more types` : list;
}

function counts(type: TypeTold, now: number, style: Style): (string | number)[] {
  const { oldest_pending_at, last_claimed_at, last_claimed_by } = type;
  const last = last_claimed_at === null ? 'never' : shownPast(last_claimed_at, now, style);
  return [
    shownPast(oldest_pending_at, now, style),
    ...[type.claimed ?? '', type.completed ?? '', type.failed ?? ''],
    last_claimed_by === null ? last : `${last} ${last_claimed_by}`,
  ];
}

/** @returns what stands out, and under it a command to be copied whole */
function findingLines({ code, message, next }: QueueFinding, style: Style): string {
  const { paint, clean } = style;
  const mark = { never_claimed: paint.red, idle: paint.red, at_work: paint.green }[String(code)];
  const words = visible(clean(message));
  const isWrapped = style.isInteractive && !style.isWide;
  const told = isWrapped ? wrapped(words, style.columns).join('\n') : words;
  const line = mark ? mark(told) : told;
  return next === null ? line : `${line}\n  → ${visible(clean(next))}`;
}
