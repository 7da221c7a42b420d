import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { outcomeOf, temporaryDirectory } from '../support/sandbox.ts';

const SCRIPT = fileURLToPath(new URL('../../.ci/transcripts.mjs', import.meta.url));

/** A document with one block for each terminal of a page, and the script on it. */
function createDocument(blocks: readonly (readonly [name: string, ...lines: string[]])[]) {
  const file = join(temporaryDirectory(), 'PAGES.md');
  const text = blocks.map(
    ([name, ...lines]) =>
      `<!-- terminal: ${name} -->\n\`\`\`console\n${lines.join('\n')}\n\`\`\`\nAnd on.\n`,
  );
  writeFileSync(file, text.join('\n'));
  // What is configured for whoever runs it must not show.
  const env = { ...process.env, LEASECTL_URL: 'http://127.0.0.1:1', FORCE_COLOR: '1' };
  const run = (...args: string[]) =>
    outcomeOf(spawn(process.execPath, [SCRIPT, file, ...args], { env }));
  return { file, run, read: () => readFileSync(file, 'utf8') };
}

test('a page shows what its terminals show, and the same the next time', async () => {
  const { run, read } = createDocument([
    ['one', '$ leasectl lease a --ttl 15m', '$ code=$?', '$ cat <<END', '> > got $code', '> END'],
    ['one, second', '$ leasectl lease a', '$ echo "[$?, $code]"', '$ sleep 0 & wait'],
    ['two', '$ leasectl lease a --json', '$ leasectl admin jobs add --type t --asset x --count 2'],
  ]);
  expect(await run()).toMatchObject({ code: 0, stderr: '' });
  const shown = read();
  expect(shown).toContain(`<!-- terminal: one -->
\`\`\`console
$ leasectl lease a --ttl 15m
┌─────────┬───────────────────────────────────────┐
│ Key     │ a                                     │
│ Status  │ acquired                              │
│ Until   │ 2026-11-22 12:15:00 +00:00 (15m left) │
│ Version │ 1                                     │
│ Charged │ 1 (1 of 1,000,000,000 used)           │
│ Profile │ local                                 │
└─────────┴───────────────────────────────────────┘
$ code=$?
$ cat <<END
> > got $code
> END
> got 0
\`\`\`
And on.
`);
  expect(shown).toContain('already, for 15m more.\n');
  expect(shown).toContain('$ echo "[$?, $code]"\n[11, ]\n$ sleep 0 & wait\n[1] 4711\n');
  expect(shown).toContain('"first_seen_at": "2026-11-22T12:00:00Z"');
  expect(new Set(shown.match(/job_\w+/g)).size).toBe(2);
  expect(await run('--check')).toMatchObject({ code: 0, stderr: '' });
});

test('time left is what it was when the lease was taken, in a box that is as wide as that', async () => {
  const rows = String.raw`┌────%s┐\n│ 14m 3s left │ 10 │\n│ 59s left    │  9 │\n└%s┘\n`;
  const { run, read } = createDocument([['one', `$ printf '${rows}' ────┬── ────┴── # --ttl 15m`]]);
  expect(await run()).toMatchObject({ code: 0, stderr: '' });
  expect(read()).toContain(`
┌──────────┬────┐
│ 15m left │ 10 │
│ 1m left  │  9 │
└──────────┴────┘
`);
});

test('what is stale is told, with its page, and left as it is', async () => {
  const { run, read } = createDocument([
    ['fresh', '$ echo one', 'one'],
    ['old', '$ echo two', 'three'],
  ]);
  const before = read();
  const { code, stderr } = await run('--check');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^-three\n\+two\n/m);
  expect(stderr).toContain('PAGES.md shows (old). Run npm run docs');
  expect(read()).toBe(before);
});

test('a failure that the page does not look at is no page', async () => {
  const { run, read } = createDocument([['page', '$ leasectl status nope', '$ echo on']]);
  const before = read();
  const { code, stderr } = await run();
  expect(code).toBe(1);
  expect(stderr).toContain('page: $ leasectl status nope: ended with 3');
  expect(stderr).toContain('Nothing is known of this key');
  expect(read()).toBe(before);
});
