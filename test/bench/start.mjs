// How long commands take from their start to their end, against a bare `node -e 0`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compared, interleaved, median } from './harness.mjs';
import {
  BIN,
  copyPackage,
  hostedAt,
  makePlace,
  nodeOf,
  startStub,
  timed,
  versionOf,
} from './package.mjs';

const ROUNDS = { short: 11, long: 81 };
const BARE = 'node -e 0';
/** Milliseconds that the control adds to a start. */
const ADDED = 20;

const BOUNDS = {
  '--version': 1.7,
  '--help': 1.7,
  'status KEY': 2.0,
  'status KEY, hosted': 2.4,
};

/** By name, what is run: words of leasectl, and what is in its environment besides. */
function commandsAt(url) {
  return {
    '--version': { words: ['--version'] },
    '--help': { words: ['--help'] },
    'status KEY': { words: ['status', 'bench'] },
    'status KEY, hosted': {
      words: ['status', 'bench'],
      hosted: hostedAt(url),
    },
    'lease KEY --idempotent': { words: ['lease', 'bench', '--idempotent'] },
    // A key is worked on once.
    'exec KEY -- true': { words: (run) => ['exec', `bench-${run}`, '--', 'true'] },
    // What a shell asks for when TAB is pressed.
    'leasectl <TAB>': { words: ['__complete', 'zsh', 'leasectl', ''] },
    'status <TAB>': { words: ['__complete', 'zsh', 'leasectl', 'status', ''] },
  };
}

/** @returns rows: medians in milliseconds from the start of a process to its end */
export async function measure({ isShort, progress, isControl = false, nodes = [] }) {
  const rounds = isShort ? ROUNDS.short : ROUNDS.long;
  const stub = await startStub();
  try {
    if (isControl) return await withDelay(rounds, progress);
    if (nodes.length === 0) return await ofNode(process.execPath, '', rounds, stub.url, progress);
    const rows = [];
    for (const version of nodes) {
      const file = nodeOf(version);
      const prefix = `Node ${versionOf(file)}: `;
      rows.push(...(await ofNode(file, prefix, rounds, stub.url, progress)));
    }
    return rows;
  } finally {
    await stub.stop();
  }
}

/** @param file a node, which the commands and what they are compared with are run by */
async function ofNode(file, prefix, rounds, url, progress) {
  const { env, remove } = makePlace();
  try {
    timed(file, [BIN, 'lease', 'bench', '--ttl', '1h'], env);
    let runs = 0;
    const works = { [BARE]: () => timed(file, ['-e', '0'], env) };
    const commands = commandsAt(url);
    for (const [name, { words, hosted }] of Object.entries(commands)) {
      works[name] = () => {
        runs += 1;
        const given = typeof words === 'function' ? words(runs) : words;
        return timed(file, [BIN, ...given], { ...env, ...hosted });
      };
    }
    progress(`${prefix}${rounds} interleaved runs of each of ${Object.keys(works).length}`);
    const times = await interleaved(works, rounds);
    const base = { what: BARE, value: median(times[BARE]) };
    return Object.keys(commands).map((name) => {
      const bound = Object.hasOwn(BOUNDS, name) ? { most: BOUNDS[name] } : undefined;
      return compared(prefix + name, median(times[name]), 'ms', base, bound);
    });
  } finally {
    remove();
  }
}

/** Whether it would be seen that a module takes some time when it is loaded. */
async function withDelay(rounds, progress) {
  const { directory, env, remove } = makePlace();
  try {
    const slow = copyPackage(join(directory, 'slow'));
    const wait = `const end = performance.now() + ${ADDED};\nwhile (performance.now() < end);\n`;
    writeFileSync(join(slow, '..', 'wait.js'), wait);
    const source = readFileSync(slow, 'utf8');
    writeFileSync(slow, source.replace("'use strict';", "'use strict';\nrequire('./wait.js');"));
    progress(`${rounds} interleaved runs, with and without ${ADDED} ms`);
    const run = (words) => () => timed(process.execPath, words, env);
    const times = await interleaved(
      {
        [BARE]: run(['-e', '0']),
        asItIs: run([BIN, '--version']),
        slowed: run([slow, '--version']),
      },
      rounds,
    );
    const [bare, asItIs, slowed] = [times[BARE], times.asItIs, times.slowed].map(median);
    const added = { what: 'added', value: ADDED };
    return [
      compared('--version', asItIs, 'ms', { what: BARE, value: bare }),
      compared('--version, a module slowed down', slowed, 'ms', { what: BARE, value: bare }),
      compared('what that made it slower', slowed - asItIs, 'ms', added, { least: 0.8, most: 1.2 }),
    ];
  } finally {
    remove();
  }
}
