/** How a piece of text looks. */
export type Tone = 'plain' | 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** A piece of a line. What changes by itself is a piece by itself: only that is written anew. */
export interface Piece {
  readonly text: string;
  /** How many columns it takes. */
  readonly columns: number;
  readonly tone: Tone;
}
export type Line = readonly Piece[];

/** What is known of how text shows. */
export interface Texts {
  /** Foreign text made safe to show. */
  readonly safe: (text: string) => string;
  readonly widthOf: (text: string) => number;
  /** Cuts a safe text to so many columns. */
  readonly cut: (text: string, columns: number) => string;
  /** Breaks a safe text into lines of so many columns at most. */
  readonly wrap: (text: string, columns: number) => readonly string[];
}

/** Longer texts are not looked at to their end: nobody could read them. */
const LONGEST = 2_000;
const MOST_KNOWN = 20_000;

export interface Known {
  readonly text: string;
  readonly columns: number;
}

/** Texts that are shown again and again, each looked at once. */
export class TextCache {
  readonly #texts: Texts;
  readonly #known = new Map<string, Known>();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  of(text: string): Known {
    let known = this.#known.get(text);
    if (!known) {
      const safe = this.#texts.safe(text.slice(0, LONGEST));
      known = { text: safe, columns: this.#texts.widthOf(safe) };
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(text, known);
    }
    return known;
  }

  wrapped(text: string, columns: number): readonly string[] {
    return this.#texts.wrap(this.of(text).text, columns);
  }

  /** A piece of exactly so many columns. */
  fitted(text: string, columns: number, tone: Tone, side: 'left' | 'right' = 'left'): Piece {
    const known = this.of(text);
    const isCut = known.columns > columns;
    const shown = isCut ? this.#texts.cut(known.text, columns) : known.text;
    const width = isCut ? this.#texts.widthOf(shown) : known.columns;
    const space = ' '.repeat(Math.max(0, columns - width));
    return { text: side === 'left' ? shown + space : space + shown, columns, tone };
  }
}

export const SPACE: Piece = { text: ' ', columns: 1, tone: 'plain' };
