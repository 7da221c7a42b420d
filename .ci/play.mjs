// Plays a page: types its commands, in the order in which they stand there, on a machine of its own.
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constantLines } from './constant.mjs';
import { openTerminal } from './terminal.mjs';

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const COLUMNS = 80;

/**
 * @param blocks of the page: the `terminal` that each is typed into, and its `typed` lines, each with
 *   the `rest` that may belong to it, for as long as bash asks for more
 * @returns the text of each block: what was typed, and what was shown
 * @throws when a command fails and the page does not look at its exit code
 */
export async function playPage(page, blocks) {
  const machine = await realpath(await mkdtemp(join(tmpdir(), 'leasectl-page-')));
  const terminals = new Map();
  try {
    const env = await createMachine(machine);
    const commands = blocks.flatMap(({ typed }) => typed.map(({ line }) => line));
    const constant = constantLines({ page, commands, home: env.HOME });
    const made = [];
    for (const { terminal, typed } of blocks) {
      if (!terminals.has(terminal)) {
        const opened = await openTerminal({ columns: COLUMNS, cwd: env.HOME, env });
        terminals.set(terminal, opened);
      }
      made.push(await type(terminals.get(terminal), typed, { page, constant }));
    }
    return made;
  } finally {
    for (const terminal of terminals.values()) terminal.close();
    await rm(machine, { recursive: true, force: true });
  }
}

/** Empty directories for the home and what is temporary, and `leasectl` on the path. */
async function createMachine(directory) {
  const [home, bin, temporary] = ['home', 'bin', 'tmp'].map((name) => join(directory, name));
  for (const one of [home, bin, temporary]) await mkdir(one);
  await symlink(BIN, join(bin, 'leasectl'));
  return {
    HOME: home,
    TMPDIR: temporary,
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    USER: 'me',
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    LEASECTL_STORAGE: 'file',
  };
}

/** Types lines one after the other: what is shown below each is the text. */
async function type(terminal, typed, { page, constant }) {
  let text = '';
  for (const [index, { line, rest }] of typed.entries()) {
    const fail = (problem) => {
      throw new Error(`${page}: ${line}: ${problem}`);
    };
    const lines = [line];
    let result = await terminal.run(line.slice(2)).catch(fail);
    for (const next of rest) {
      if (!result.isOpen) break;
      lines.push(next);
      result = await terminal.run(next.slice(2)).catch(fail);
    }
    if (result.isOpen) fail('is not whole');
    const { output, code } = result;
    const isSeen = typed[index + 1]?.line.includes('$?');
    if (code !== 0 && !isSeen) fail(`ended with ${code}, unseen:\n${output.join('\n')}`);
    const shown = constant(output);
    if (shown.some((one) => /^(\$ |```)/.test(one))) fail(`shows what would be typed:\n${shown}`);
    text += [...lines, ...shown].map((one) => `${one}\n`).join('');
  }
  return text;
}
