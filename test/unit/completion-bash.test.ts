import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteRest } from '../../src/completion/bash-quote.ts';
import { type Quote, readWord, splitBash } from '../../src/completion/bash-words.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** What bash makes of words, in a directory where a pattern would find something. */
function bashReads(words: readonly string[]): string[] {
  const cwd = temporaryDirectory();
  for (const file of ['a', 'b', 'x']) writeFileSync(join(cwd, file), '');
  const script = `printf '%s\\0' ${words.join(' ')}`;
  const out = execFileSync('bash', ['--norc', '-c', script], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    maxBuffer: 2 ** 24,
  });
  expect(readdirSync(cwd)).toEqual(['a', 'b', 'x']);
  return out.split('\0').slice(0, -1);
}

const QUOTES: readonly Quote[] = ['', "'", '"', "$'"];
/** What is on the line after readline inserted the only candidate. */
function inserted(quote: Quote, rest: string): string {
  const mark = quote.at(-1) ?? '';
  const start = mark && rest.startsWith(mark) ? quote.slice(0, -1) : quote;
  return start + rest + (rest.endsWith(mark) ? '' : mark);
}

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...' \t\n\r\'"\\$`*?[]{}()<>|&;!#~^%=:@,-x\u001b\u007f\u202e\u200d\u00a0é漢🎉'),
    fc.constantFrom('$(touch pwned)', '`touch pwned`', '$HOME', "$'", '!!', '\\n'),
  ),
  maxLength: 12,
});

describe('bash takes a quoted text for what it is, and runs nothing', () => {
  test.each(QUOTES)('after %j', (quote) => {
    const texts = fc.sample(hostile, 1_500).filter((text) => text !== '');
    const raws = texts.map((text) => inserted(quote, quoteRest(text, quote)));
    // What this process reads is what bash reads.
    expect(raws.map((raw) => readWord(raw))).toEqual(
      texts.map((value, index) => ({ raw: raws[index], value, quote: '' })),
    );
    expect(bashReads(raws)).toEqual(texts);
  });
});

test('a quoted text shows what it is', () => {
  for (const quote of QUOTES) {
    for (const text of fc.sample(hostile, 300)) {
      expect(quoteRest(text, quote)).not.toMatch(/[\p{Cc}\p{Cf}\u00a0]/u);
    }
  }
});

describe('a line of bash is taken apart', () => {
  const values = (line: string) => {
    const { words, current, isRedirected } = splitBash(line);
    return [
      ...words.map(({ value }) => value),
      isRedirected ? ['<>', current.value] : current.value,
    ];
  };

  test.each<[string, unknown[]]>([
    ['', ['']],
    ['leasectl ', ['leasectl', '']],
    ['leasectl  st', ['leasectl', 'st']],
    ['X=1 leasectl status a\\ b', ['X=1', 'leasectl', 'status', 'a b']],
    [`a 'b c'"d $x"e\\\nf $'\\x41\\u00e9\\n\\101' g`, ['a', 'b cd $xef', 'Aé\nA', 'g']],
    ['a "q \\" \\$ \\x" $(touch b) `c d` x', ['a', 'q " $ \\x', '$(touch b)', '`c d`', 'x']],
    ['a; b && c | d e', ['d', 'e']],
    ['a > f b', ['a', 'b']],
    ['a 2>>f <g b > h', ['a', 'b', ['<>', 'h']]],
    ['a >', ['a', ['<>', '']]],
    ['a >&2 ', ['a', '']],
    ['a $', ['a', '$']],
  ])('%j', (line, words) => {
    expect(values(line)).toEqual(words);
  });

  test.each<[string, string, Quote]>([
    ["a 'b c", 'b c', "'"],
    ['a x"b c', 'xb c', '"'],
    ["a x$'b\\", 'xb', "$'"],
    ['a b\\', 'b', ''],
    ["a 'b'c", 'bc', ''],
  ])('%j ends in open quotes or not', (line, value, quote) => {
    expect(splitBash(line).current).toMatchObject({ value, quote });
  });
});
