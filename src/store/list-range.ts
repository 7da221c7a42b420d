import { KINDS, type Kind } from '../engine/lease.ts';
import type { LeaseFilter } from '../engine/store.ts';

/** A part of a list that an index has in its order: one kind's ids between two bounds. */
export interface ListRange {
  readonly kind: Kind;
  /** The lowest id. */
  readonly from: string;
  /** Whether that one is itself left out. */
  readonly isAfter: boolean;
  /** What is behind all ids; null for none. */
  readonly to: string | null;
}

/** What a filter asks for, kind by kind in the order of lists. */
export function rangesOf({ kind, prefix = '', after }: LeaseFilter): ListRange[] {
  const kinds = Object.keys(KINDS).filter((name): name is Kind => name in KINDS);
  const to = behind(prefix);
  return kinds
    .toSorted()
    .filter((own) => (kind ?? own) === own && (after?.kind ?? own) <= own)
    .map((own) => {
      const last = after?.kind === own ? after.id : undefined;
      const isAfter = last !== undefined && Buffer.compare(bytes(last), bytes(prefix)) >= 0;
      return { kind: own, from: isAfter ? last : prefix, isAfter, to };
    });
}

const bytes = (text: string) => Buffer.from(text);

const LAST = 0x10_ff_ff;
const FIRST_SURROGATE = 0xd8_00;
const BEHIND_SURROGATES = 0xe0_00;

/** The lowest text, by its UTF-8 bytes, behind all that begin so; null where none is. */
function behind(prefix: string): string | null {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  const next = last + 1 === FIRST_SURROGATE ? BEHIND_SURROGATES : last + 1;
  return String.fromCodePoint(...points, next);
}
