// What `leasectl watch --all` takes of a processor while leases are renewed: a service that tells of
// so many renewals a second, and a terminal that shows them.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import pty from '@lydell/node-pty';
import { BIN, makePlace, timed } from './package.mjs';
import { computed, HAS_PROC, memory } from './process-cost.mjs';

const LEASES = 1_000;
/** Renewals of each in a second. */
const EACH = 10;
/** How long it is watched. */
const SECONDS = { short: 5, long: 20 };
/** How often the service tells something, a second. */
const PARTS = 50;
const TTL = 30;

const begun = Date.now();
const versions = new Array(LEASES).fill(1);
let sequence = 0;
let told = 0;

function lease(number) {
  const now = Date.now();
  return {
    kind: 'key',
    id: `nightly/report-${String(number).padStart(5, '0')}`,
    state: 'held',
    holder: null,
    fencing_token: 1,
    version: versions[number],
    first_seen_at: new Date(begun).toISOString(),
    acquired_at: new Date(begun).toISOString(),
    ttl: TTL,
    changed_at: new Date(now).toISOString(),
    expires_at: new Date(now + TTL * 1000).toISOString(),
    finished_at: null,
    error_code: null,
    cancel_requested: false,
    closed: false,
    origin: { host: `build-${number % 40}`, user: 'ci', pid: 4711, command: 'exec' },
  };
}

function renewed(number) {
  versions[number] += 1;
  sequence += 1;
  const info = {
    sequence,
    kind: 'key',
    id: `nightly/report-${String(number).padStart(5, '0')}`,
    type: 'extended',
    at: new Date().toISOString(),
    before: 'held',
    after: 'held',
    fencing_token: 1,
    version: versions[number],
    caller: `ci@build-${number % 40}`,
    request_id: `0b6f0d4e-2f5a-4a53-9b1e-${String(sequence).padStart(12, '0')}`,
    detail: { ttl: TTL },
  };
  return `event: extended\ndata: ${JSON.stringify(info)}\n`;
}

/** Tells as many renewals as are due, and no more than the reader takes. */
async function tell(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('id: 0\nevent: position\ndata: {}\n\n');
  const since = performance.now();
  let sent = 0;
  while (!response.destroyed) {
    const due = Math.floor(((performance.now() - since) / 1000) * LEASES * EACH);
    const lines = [];
    for (; sent < due; sent += 1) lines.push(renewed(sent % LEASES));
    if (lines.length > 0) lines[lines.length - 1] += `id: ${sequence}\n`;
    told += lines.length;
    const isTaken = response.write(lines.map((line) => `${line}\n`).join(''));
    if (!isTaken) await new Promise((resolve) => response.once('drain', resolve));
    await delay(1000 / PARTS);
  }
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://stub');
  if (pathname.endsWith('/events')) return void tell(response);
  response.setHeader('content-type', 'application/json');
  const first = Number(searchParams.get('after')?.split('-').at(-1) ?? -1) + 1;
  const last = Math.min(LEASES, first + Number(searchParams.get('limit')));
  const leases = Array.from({ length: last - first }, (_, at) => lease(first + at));
  const next = last < LEASES ? `key:${leases.at(-1).id}` : null;
  response.end(JSON.stringify({ leases, next, now: new Date().toISOString() }));
});

const WORDS = [BIN, 'watch', '--all', '--profile', 'bench'];

function onTerminal(env) {
  const size = { cols: 140, rows: 50 };
  const options = { ...size, env: { ...env, TERM: 'xterm-256color' } };
  const child = pty.spawn(process.execPath, WORDS, options);
  return counted(child.pid, (take) => child.onData(take), `${LEASES} held`);
}

function inPipe(env) {
  const child = spawn(process.execPath, WORDS, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return counted(child.pid, (take) => child.stdout.on('data', take), '"event":"extended"');
}

/** Counts what a process writes. @param sign what shows that it has begun */
function counted(pid, listen, sign) {
  const count = { pid, bytes: 0, hasBegun: false };
  listen((data) => {
    count.bytes += data.length;
    count.hasBegun ||= data.includes(sign);
  });
  return count;
}

async function costOf(where, watch, seconds) {
  const { pid } = watch;
  // Until it has begun, and is compiled.
  await delay(4_000);
  if (!watch.hasBegun) throw new Error(`${where}: it does not show them`);
  const before = { told, bytes: watch.bytes, computed: computed(pid), at: performance.now() };
  await delay(seconds * 1000);
  const passed = (performance.now() - before.at) / 1000;
  const share = (computed(pid) - before.computed) / passed;
  const { settled } = memory(pid);
  process.kill(pid, 'SIGKILL');
  return [
    { what: `${where}: renewals`, value: (told - before.told) / passed, unit: 'per second' },
    { what: `${where}: processor`, value: share * 100, unit: '% of a core' },
    {
      what: `${where}: written`,
      value: (watch.bytes - before.bytes) / 1024 / passed,
      unit: 'KiB/s',
    },
    { what: `${where}: memory`, value: settled, unit: 'MiB' },
  ];
}

/** @returns rows without bounds */
export async function measure({ isShort, progress }) {
  if (!HAS_PROC) return [{ what: 'watch --all', missing: 'there is no /proc' }];
  const { env, remove } = makePlace();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const seconds = isShort ? SECONDS.short : SECONDS.long;
  try {
    const add = ['profile', 'add', 'bench', '--service', 'leasectl', '--url', url, '--token-stdin'];
    timed(process.execPath, [BIN, ...add], env, 'token');
    progress(`${LEASES} leases, twice ${seconds} s`);
    return [
      ...(await costOf('on a terminal', onTerminal(env), seconds)),
      ...(await costOf('in a pipe', inPipe(env), seconds)),
    ];
  } finally {
    server.closeAllConnections();
    server.close();
    remove();
  }
}
