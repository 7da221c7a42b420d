// How long commands take from start to end, against a bare `node`: medians of interleaved runs, so
// that a machine that slows down slows them all. Needs a build. Usage: npm run bench:start [RUNS]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNS = Math.max(20, Number(process.argv[2]) || 30);
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'leasectl-bench-'));
// NODE_EXTRA_CA_CERTS alone costs Node 20 as much as its own start, so it is not passed on.
const env = { PATH: process.env.PATH, HOME: home };

const commands = {
  'node -e 0': ['-e', '0'],
  'leasectl --version': [bin, '--version'],
  'leasectl status KEY': [bin, 'status', 'bench'],
  'leasectl lease KEY --idempotent': [bin, 'lease', 'bench', '--idempotent'],
  // What a shell asks for when TAB is pressed.
  'leasectl <TAB>': [bin, '__complete', 'zsh', 'leasectl', ''],
  'leasectl status <TAB>': [bin, '__complete', 'zsh', 'leasectl', 'status', ''],
  // A key is worked on once.
  'leasectl exec KEY -- true': (round) => [bin, 'exec', `bench-${round}`, '--', 'true'],
};

function run(args) {
  const begun = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (
    (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2
  );
}

try {
  run([bin, 'lease', 'bench', '--ttl', '1h']);
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < RUNS; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      times[name].push(run(typeof args === 'function' ? args(round) : args));
    }
  }
  const bare = median(times['node -e 0']);
  process.stdout.write(`Node ${process.version}, ${RUNS} interleaved runs each\n\n`);
  process.stdout.write(
    `${'command'.padEnd(34)}${'median'.padStart(10)}${'min'.padStart(10)}${'ratio'.padStart(8)}\n`,
  );
  for (const [name, values] of Object.entries(times)) {
    const middle = median(values);
    const cells = [`${middle.toFixed(1)} ms`, `${Math.min(...values).toFixed(1)} ms`].map((cell) =>
      cell.padStart(10),
    );
    process.stdout.write(
      `${name.padEnd(34)}${cells.join('')}${(middle / bare).toFixed(2).padStart(8)}\n`,
    );
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
