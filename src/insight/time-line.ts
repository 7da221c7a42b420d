import { textIn } from '../domain/json.ts';
import type { Happening } from './facts.ts';
import { isAsking } from './past.ts';
import { span } from './words.ts';

/** A step of a time line: one thing that happened, or several of a kind that came again and again. */
export interface Step {
  readonly type: string;
  /** The last of them. */
  readonly at: number;
  readonly count: number;
  readonly words: string;
}

/** What comes again and again between the things that change who has a lease. */
const ROUTINE = ['extended', 'refused'];

/**
 * What happened, the earliest first: renewals and refusals between two other things are one step each.
 *
 * @param history the latest first
 * @param most steps, the latest
 */
export function timeLineOf(history: readonly Happening[], most: number): Step[] {
  const steps: Step[] = [];
  let routine: Happening[] = [];
  const settle = () => {
    const told = [
      stepOfRenewals(routine.filter(({ type }) => type === 'extended')),
      stepOfRefusals(routine.filter(isAsking), 'asked for in vain'),
      stepOfRefusals(
        routine.filter((one) => one.type === 'refused' && !isAsking(one)),
        undefined,
      ),
    ];
    steps.push(...told.flatMap((step) => step ?? []).toSorted((one, other) => one.at - other.at));
    routine = [];
  };
  for (const happening of history.toReversed()) {
    if (ROUTINE.includes(happening.type)) {
      routine.push(happening);
      continue;
    }
    settle();
    const { type, at } = happening;
    steps.push({ type, at, count: 1, words: wordsFor(happening) });
  }
  settle();
  return steps.slice(-most);
}

function stepOfRenewals(renewals: readonly Happening[]): Step | undefined {
  const [first] = renewals;
  const last = renewals.at(-1);
  if (!first || !last) return undefined;
  const count = renewals.length;
  const every = count > 1 ? `, every ${span((last.at - first.at) / (count - 1))}` : '';
  return { type: 'extended', at: last.at, count, words: `renewed${times(count)}${every}` };
}

/** @param words what they were refused for; undefined where each tells it */
function stepOfRefusals(
  refused: readonly Happening[],
  words: string | undefined,
): Step | undefined {
  const last = refused.at(-1);
  if (!last) return undefined;
  const count = refused.length;
  const { detail } = last;
  const what =
    words ??
    `refused to ${textIn(detail, 'command') ?? 'change it'}${note(textIn(detail, 'reason'))}`;
  return { type: 'refused', at: last.at, count, words: `${what}${times(count)}${byAll(refused)}` };
}

function times(count: number): string {
  return count === 1 ? '' : ` ${count} times`;
}

/** Names that a step tells at most. */
const MOST_NAMES = 3;

function byAll(happenings: readonly Happening[]): string {
  const names = [...new Set(happenings.flatMap(({ caller }) => caller ?? []))];
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} others` : '';
  return names.length === 0 ? '' : `, by ${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}

function wordsFor({ type, caller, detail }: Happening): string {
  const by = caller === undefined ? '' : ` by ${caller}`;
  const ttl = detail?.['ttl'];
  switch (type) {
    case 'acquired':
      return `acquired${by}${typeof ttl === 'number' ? `, for ${span(ttl * 1000)}` : ''}`;
    case 'expired':
      return 'ran out';
    case 'released':
      return `given back${by}${note(textIn(detail, 'error_code'))}`;
    case 'cancel_requested':
      return `asked to stop${by}`;
    case 'broken':
      return `broken${by}${note(textIn(detail, 'reason'))}`;
    case 'canceled':
      return `canceled${by}${note(textIn(detail, 'error_code')?.replace(/^canceled:?/, ''))}`;
    default:
      return `${type}${by}${note(textIn(detail, 'error_code'))}`;
  }
}

function note(text: string | undefined): string {
  return text ? `: ${text}` : '';
}
