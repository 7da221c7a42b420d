import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRETS } from './canaries.ts';
import { HANDLES } from './canary-surface.ts';
import { type Sighting, watchChildrenOf } from './canary-watch.ts';
import { BIN, type Outcome, outcomeOf } from './sandbox.ts';

type Environment = Readonly<Record<string, string>>;

/** A home directory, and beside it what its user hands over. */
export interface CanaryMachine {
  readonly home: string;
  readonly given: string;
  /** What commands see that leasectl runs: look.sh and print.sh write it. */
  readonly lookedAt: string;
  readonly env: Environment;
  run(words: readonly string[], options?: { env?: Environment; input?: string }): Promise<Seen>;
  json(words: readonly string[], options?: { env?: Environment; input?: string }): Promise<unknown>;
  /** Another one that is as this is now. */
  copy(): CanaryMachine;
  remove(): void;
}

export interface Seen extends Outcome {
  readonly children: readonly Sighting[];
}

/** Shell: tells of its process, and those beside it. */
const LOOK = `for pid in $$ $(cat /proc/$PPID/task/$PPID/children); do
  cat /proc/$pid/cmdline /proc/$pid/environ
done >> "$LOOKED_AT" 2>/dev/null
`;

/** @param root a directory of all machines, with the code cache that they share */
export function createCanaryMachine(root: string, template?: CanaryMachine): CanaryMachine {
  const directory = mkdtempSync(join(root, 'machine-'));
  const home = join(directory, 'home');
  const given = join(root, 'given');
  const lookedAt = join(directory, 'looked-at');
  const parts = ['config', 'data', 'state', 'tmp', 'run'];
  if (template) cpSync(template.home, home, { recursive: true, preserveTimestamps: true });
  else {
    for (const part of parts) mkdirSync(join(home, part), { recursive: true, mode: 0o700 });
    makeRepository(home);
  }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_RUNTIME_DIR: join(home, 'run'),
    XDG_CACHE_HOME: join(root, 'shared', 'cache'),
    TMPDIR: join(home, 'tmp'),
    TZ: 'UTC',
    LEASECTL_STORAGE: 'file',
    LOOKED_AT: lookedAt,
  };
  const run: CanaryMachine['run'] = async (words, { env: more = {}, input = '' } = {}) => {
    const child = spawn(process.execPath, [BIN, ...words], { env: { ...env, ...more }, cwd: home });
    const watched = watchChildrenOf(child.pid ?? 0);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const outcome = await outcomeOf(child);
    return { ...outcome, children: watched.stop() };
  };
  const machine: CanaryMachine = {
    home,
    given,
    lookedAt,
    env,
    run,
    json: async (words, options) => {
      const { code, stdout, stderr } = await run([...words, '--json'], options);
      if (code !== 0) throw new Error(`leasectl ${words.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    copy: () => createCanaryMachine(root, machine),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
  return machine;
}

/** Where leases are taken is told: so that is a repository whose remote has secrets in its address. */
function makeRepository(home: string): void {
  const secret = encodeURIComponent(SECRETS.user);
  const query = `private_token=${encodeURIComponent(SECRETS.misfiled)}`;
  const url = `https://ada:${secret}@git.test/deploy.git?${query}`;
  mkdirSync(join(home, '.git'), { mode: 0o700 });
  writeFileSync(join(home, '.git', 'HEAD'), 'c'.repeat(40), { mode: 0o600 });
  const config = `[remote "origin"]\n\turl = ${url}\n`;
  writeFileSync(join(home, '.git', 'config'), config, { mode: 0o600 });
}

/** Makes the directory of all machines, with the files that users hand over. */
export function createCanaryRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'leasectl-'));
  const given = join(root, 'given');
  mkdirSync(given);
  const files: Readonly<Record<string, string>> = {
    stored: SECRETS.stored,
    printed: SECRETS.printed,
    client: `${SECRETS.client}\n`,
    lease: SECRETS.lease,
    lock: SECRETS.lock,
    ack: SECRETS.ack,
    handles: HANDLES,
    file: JSON.stringify({ version: 1, profiles: {}, defaults: [] }),
    'look.sh': `#!/bin/sh\n${LOOK}`,
    'print.sh': `${LOOK}cat '${given}/printed'\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(given, name), content, { mode: 0o700 });
  }
  return root;
}
