import xterm from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveScreen, type ScreenLine } from '../../src/terminal/live-screen.ts';

type Tone = 'plain' | 'bold';
const COLUMNS = 20;
const ROWS = 4;

function open() {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const writes: string[] = [];
  const write = (text: string) => {
    writes.push(text);
    terminal.write(text);
  };
  const screen = new LiveScreen<Tone>(write, (text, tone) =>
    tone === 'bold' ? `\u001b[1m${text}\u001b[22m` : text,
  );
  const shown = async () => {
    await new Promise<void>((resolve) => terminal.write('', resolve));
    return Array.from({ length: ROWS }, (_, row) =>
      (terminal.buffer.active.getLine(row)?.translateToString() ?? '').padEnd(COLUMNS),
    );
  };
  return { screen, writes, shown };
}

function piece(text: string, tone: Tone = 'plain') {
  return { text, columns: text.length, tone };
}

describe('a live screen', () => {
  test('shows what was drawn last, whatever was before', async () => {
    const anyPiece = fc.record({
      text: fc.string({ unit: fc.constantFrom('a', 'b', '█', ' '), minLength: 1, maxLength: 6 }),
      tone: fc.constantFrom<Tone>('plain', 'bold'),
    });
    const anyLine = fc
      .array(anyPiece, { maxLength: 3 })
      .map((pieces) => pieces.map(({ text, tone }) => piece(text, tone)));
    const anyFrame = fc.array(anyLine, { maxLength: ROWS });
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 5 }), async (frames) => {
        const { screen, shown } = open();
        for (const frame of frames) screen.draw(frame);
        const last = frames.at(-1) ?? [];
        const lines = Array.from({ length: ROWS }, (_, row) => textOf(last[row]));
        expect(await shown()).toEqual(lines);
      }),
      { numRuns: 60 },
    );
  });

  test('writes only what changed, and nothing where nothing did', () => {
    const { screen, writes } = open();
    const frame = (left: string): ScreenLine<Tone>[] => [
      [piece('key'), piece(' '), piece(left), piece(' '), piece('held')],
      [piece('other')],
    ];
    screen.draw(frame('10s'));
    screen.draw(frame('10s'));
    expect(writes).toHaveLength(1);
    screen.draw(frame(' 9s'));
    expect(writes.slice(1)).toEqual(['\u001b[1;5H 9s']);
  });

  test('a line that is full keeps its last column', async () => {
    const { screen, shown } = open();
    screen.draw([[piece('x'.repeat(COLUMNS))]]);
    expect((await shown())[0]).toBe('x'.repeat(COLUMNS));
  });

  test('what was cleared is drawn anew', async () => {
    const { screen, shown, writes } = open();
    screen.draw([[piece('one')]]);
    screen.clear();
    expect((await shown())[0]?.trim()).toBe('');
    screen.draw([[piece('one')]]);
    expect((await shown())[0]?.trim()).toBe('one');
    expect(writes).toHaveLength(3);
  });
});

function textOf(line: ScreenLine<Tone> = []): string {
  return line
    .map(({ text }) => text)
    .join('')
    .padEnd(COLUMNS);
}
