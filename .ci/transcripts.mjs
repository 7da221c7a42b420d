// Runs the commands of the README's pages, and writes below each what the terminal shows. A block
// belongs to a page by the comment before it: `<!-- terminal: PAGE -->`, or with `PAGE, second` what
// is typed into another terminal. Lines that begin with `$ ` are typed, and with `> ` where bash asks
// for more. Every page has a machine of its own, on which nothing is leased or configured.
// With --check nothing is written, and it fails where another text is shown. Needs a build.
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { playPage } from './play.mjs';

const BLOCK = /(<!-- terminal: ([\w-]+)(?:, ([\w-]+))? -->\n```console\n)(.*?)(?=^```$)/gms;
/** A line, and what stands right below it as the rest of a heredoc would. */
const TYPED = /^(\$ .*)\n((?:>(?: .*)?\n)*)/gm;

const args = process.argv.slice(2);
const file = args.find((arg) => !arg.startsWith('--')) ?? 'README.md';
const text = await readFile(file, 'utf8');
const blocks = [...text.matchAll(BLOCK)].map(([, , page, terminal = 'first', shown]) => ({
  page,
  terminal,
  shown,
  typed: [...shown.matchAll(TYPED)].map(([, line, rest]) => ({
    line,
    rest: rest.split('\n').slice(0, -1),
  })),
}));
if (blocks.length < text.split('<!-- terminal: ').length - 1) {
  throw new Error(`${file}: below each <!-- terminal: PAGE --> there has to be a console block`);
}
for (const page of new Set(blocks.map((block) => block.page))) {
  const ofPage = blocks.filter((block) => block.page === page);
  const played = await playPage(page, ofPage);
  ofPage.forEach((block, index) => {
    block.made = played[index];
  });
}

const shownNow = blocks.map(({ made }) => made);
const current = text.replace(BLOCK, (_, start) => start + shownNow.shift());
if (!args.includes('--check')) await writeFile(file, current);
else if (current !== text) {
  const stale = blocks.filter(({ shown, made }) => shown !== made).map(({ page }) => page);
  const labels = ['--label', file, '--label', `${file} as it would be now`];
  spawnSync('diff', ['-U2', ...labels, file, '-'], { input: current, stdio: ['pipe', 2, 2] });
  const pages = [...new Set(stale)].join(', ');
  process.stderr.write(
    `Out of date: what ${file} shows (${pages}). Run npm run docs and commit it.\n`,
  );
  process.exitCode = 1;
}
