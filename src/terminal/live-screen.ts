/** A piece of a line, as wide as it says. */
export interface ScreenPiece<Tone> {
  readonly text: string;
  readonly columns: number;
  readonly tone: Tone;
}
export type ScreenLine<Tone> = readonly ScreenPiece<Tone>[];

/*
 * In the order in which they are written. Lines do not wrap: what a terminal shows wider than it was
 * thought to be is cut off at its edge, and moves nothing.
 */
export const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
export const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** A screen of which only what changed is written. */
export class LiveScreen<Tone> {
  readonly #write: (text: string) => void;
  readonly #paint: (text: string, tone: Tone) => string;
  #shown: readonly ScreenLine<Tone>[] = [];

  constructor(write: (text: string) => void, paint: (text: string, tone: Tone) => string) {
    this.#write = write;
    this.#paint = paint;
  }

  /** What is on the screen is not known any more: all of it is to be written. */
  clear(): void {
    this.#shown = [];
    this.#write('\u001b[0m\u001b[2J');
  }

  /** Brings the screen up to these lines, in one write; in none where nothing changed. */
  draw(lines: readonly ScreenLine<Tone>[]): void {
    let changes = '';
    const count = Math.max(lines.length, this.#shown.length);
    for (let row = 0; row < count; row += 1) {
      changes += this.#change(row, this.#shown[row], lines[row] ?? []);
    }
    this.#shown = lines;
    if (changes) this.#write(changes);
  }

  #change(row: number, before: ScreenLine<Tone> | undefined, line: ScreenLine<Tone>): string {
    if (before === line) return '';
    if (!before || !isAlike(before, line)) {
      const text = line.map((piece) => this.#paint(piece.text, piece.tone)).join('');
      // Erased first: behind a full line the cursor stays on its last column.
      return `${goTo(row, 0)}\u001b[K${text.trimEnd()}`;
    }
    let changes = '';
    let column = 0;
    let isBeside = false;
    line.forEach((piece, at) => {
      const old = before[at];
      const isSame = old?.text === piece.text && old.tone === piece.tone;
      if (!isSame) {
        const place = isBeside ? '' : goTo(row, column);
        changes += place + this.#paint(piece.text, piece.tone);
      }
      isBeside = !isSame;
      column += piece.columns;
    });
    return changes;
  }
}

/** Whether the pieces are where they were. */
function isAlike<Tone>(before: ScreenLine<Tone>, line: ScreenLine<Tone>): boolean {
  return (
    before.length === line.length &&
    line.every(({ columns }, at) => columns === before[at]?.columns)
  );
}

function goTo(row: number, column: number): string {
  return `\u001b[${row + 1};${column + 1}H`;
}
