import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import type { Line } from './exec-check.ts';

/** What the commands under leases wrote, one line each time. */
export interface Journal {
  readonly file: string;
  /** All lines read so far, in their order. */
  readonly lines: readonly Line[];
  /** @returns the lines that have come since it was asked last */
  readMore(): Line[];
}

/** Makes an empty one. */
export function createJournal(file: string): Journal {
  writeFileSync(file, '');
  const lines: Line[] = [];
  const chunk = Buffer.alloc(65_536);
  let position = 0;
  let rest = '';
  const readMore = () => {
    const descriptor = openSync(file, 'r');
    const fresh: string[] = [];
    for (;;) {
      const length = readSync(descriptor, chunk, 0, chunk.length, position);
      if (length === 0) break;
      position += length;
      const parts = (rest + chunk.toString('latin1', 0, length)).split('\n');
      rest = parts.pop() ?? '';
      fresh.push(...parts);
    }
    closeSync(descriptor);
    const more = fresh.map(parseLine);
    lines.push(...more);
    return more;
  };
  return { file, lines, readMore };
}

/** As chaos-child.sh writes it. */
function parseLine(text: string): Line {
  const [what = '', id = '', token, at, pid, by = '', code] = text.split(' ');
  if (what !== 'begin' && what !== 'tick' && what !== 'end') {
    throw new Error(`the journal has the line ${JSON.stringify(text)}`);
  }
  return {
    what,
    id,
    token: Number(token),
    at: Number(at),
    pid: Number(pid),
    by,
    code: code === '-' ? undefined : Number(code),
  };
}
