import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KnownLease } from '../ledger/ledger.ts';
import type { Paths } from '../paths.ts';
import type { ServiceName } from '../profiles/profile.ts';
import { workDirectoryName } from '../work-directory.ts';
import { PROBE } from './directories.ts';
import { about, command, type Finding, type Mend } from './finding.ts';

/** What is younger may be in use at this moment, in milliseconds. */
const FRESH = 10_000;

/** What processes that were killed left behind. None of it is removed. */
export async function checkLeftovers(paths: Paths, now: number): Promise<Finding[]> {
  return [...temporaryFiles(paths, now), ...(await workDirectories(paths, now))];
}

function temporaryFiles({ config, state, leases, work }: Paths, now: number): Finding[] {
  const probe = new RegExp(`^${PROBE}`);
  const places: readonly (readonly [directory: string, pattern: RegExp])[] = [
    [join(config, 'profiles'), /\.tmp$/],
    [join(config, 'defaults'), /\.tmp$/],
    [join(state, 'used'), /\.tmp$/],
    [join(state, 'told'), /\.tmp$/],
    [work, /\.pipe$/],
    [state, probe],
    [dirname(leases), probe],
  ];
  return places.flatMap(([directory, pattern]) =>
    entriesOf(directory)
      .filter((name) => pattern.test(name) && ageOf(join(directory, name), now) > FRESH)
      .map((name) => {
        const path = join(directory, name);
        const detail = `${path} was left behind by a process that was killed`;
        return about('leftover', name).warn(detail, command('rm', '-r', path));
      }),
  );
}

async function workDirectories({ work, handles }: Paths, now: number): Promise<Finding[]> {
  const names = entriesOf(work).filter((name) => /^[0-9a-f]{24}$/.test(name));
  if (names.length === 0) return [];
  const leases = await knownLeases(handles, now);
  const known = new Map(leases.map((lease) => [nameOf(lease), lease]));
  const used = inEnvironments(work);
  return names
    .filter((name) => !used.has(name) && ageOf(join(work, name), now) > FRESH)
    .flatMap((name) => leftByExec(join(work, name), name, known.get(name), now));
}

/** While a lease lasts that waits for nobody to finish it, `exec` is at work. */
function leftByExec(
  path: string,
  name: string,
  lease: KnownLease | undefined,
  now: number,
): Finding[] {
  const subject = about('leftover', name);
  if (lease !== undefined && lease.expiresAt > now) {
    if (!existsSync(join(path, 'unfinished'))) return [];
    const detail = `${path}: what exec did for ${lease.address.id} waits to be finished`;
    return [subject.warn(detail, resumption(lease))];
  }
  const result = existsSync(join(path, 'result.json')) ? ', with a result that nobody got' : '';
  const detail = `${path}: exec does not use it any more${result}`;
  return [subject.warn(detail, command('rm', '-r', path))];
}

function nameOf({ address, handle }: KnownLease): string {
  return workDirectoryName(address, handle);
}

/** Only a ledger that is as this leasectl makes it is opened: to open another would change it. */
async function knownLeases(file: string, now: number): Promise<readonly KnownLease[]> {
  const [{ HANDLES, openLedger }, { schemaOf }] = await Promise.all([
    import('../ledger/ledger.ts'),
    import('../sqlite/database.ts'),
  ]);
  if (schemaOf(file, HANDLES) !== HANDLES.migrations.length) return [];
  const ledger = openLedger(file, () => now);
  try {
    return ledger.all();
  } finally {
    ledger.close();
  }
}

/** The commands that finish what `exec` could not. */
const RESUMING: Readonly<Record<string, readonly string[]>> = {
  onceonly: ['complete'],
  retaia: ['jobs', 'submit'],
} satisfies Partial<Record<ServiceName, readonly string[]>>;

function resumption({ address: { service, profile, id } }: KnownLease): Mend | undefined {
  const resuming = RESUMING[service];
  if (resuming === undefined) return undefined;
  return command('leasectl', ...resuming, id, '--resume', '--profile', profile);
}

/** The directories that commands under a lease were told of, as far as the system tells. */
function inEnvironments(work: string): ReadonlySet<string> {
  const used = new Set<string>();
  for (const pid of entriesOf('/proc').filter((name) => /^\d+$/.test(name))) {
    const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';
    for (const part of environment.split(`${work}/`).slice(1)) used.add(part.slice(0, 24));
  }
  return used;
}

function entriesOf(directory: string): readonly string[] {
  return attempt(() => readdirSync(directory)) ?? [];
}

/** In milliseconds; 0 for what has just gone. */
function ageOf(path: string, now: number): number {
  return now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
