import { accessSync, constants, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Paths } from '../paths.ts';
import { type About, about, command, type Finding, guarded } from './finding.ts';
import { rightsProblems, shownWithMode } from './rights.ts';

/** A directory that leasectl keeps something in. */
interface Directory {
  readonly subject: string;
  readonly path: string;
  /** Where it keeps databases: the variable that moves them to another disk. */
  readonly variable?: string;
}

function directoriesOf({ config, state, leases, work, tokens, cache }: Paths): Directory[] {
  return [
    { subject: 'config', path: config },
    { subject: 'profiles', path: join(config, 'profiles') },
    { subject: 'data', path: dirname(leases), variable: 'XDG_DATA_HOME' },
    { subject: 'state', path: state, variable: 'XDG_STATE_HOME' },
    { subject: 'work', path: work },
    { subject: 'tokens', path: tokens },
    { subject: 'cache', path: cache },
  ];
}

/** Whose they are, who may enter them, whether they can be written, and whether SQLite works there. */
export async function checkDirectories(paths: Paths): Promise<Finding[]> {
  const found = directoriesOf(paths).map((directory) => {
    const subject = about('directory', directory.subject);
    return guarded(subject, () => checkDirectory(subject, directory));
  });
  return (await Promise.all(found)).flat();
}

async function checkDirectory(
  subject: About,
  { path, variable }: Directory,
): Promise<readonly Finding[]> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return [checkMissing(subject, path)];
  if (!stats.isDirectory()) return [subject.fail(`${path} is no directory`, command('rm', path))];
  const wrong = rightsProblems(subject, path, stats, 0o700);
  if (!isUsable(path)) return wrong.length > 0 ? wrong : [notWritable(subject, path, path)];
  const unfit = variable === undefined ? [] : await checkDisk(subject, path, variable);
  if (wrong.length + unfit.length > 0) return [...wrong, ...unfit];
  const works = variable === undefined ? '' : ', and SQLite works there';
  return [subject.ok(shownWithMode(path, stats) + works)];
}

/** It is made when something is to be kept there: if that can be done. */
function checkMissing(subject: About, path: string): Finding {
  let parent = dirname(path);
  while (!statSync(parent, { throwIfNoEntry: false }) && dirname(parent) !== parent) {
    parent = dirname(parent);
  }
  if (isUsable(parent)) return subject.ok(`${path} is not there yet`);
  return notWritable(subject, path, parent);
}

function notWritable(subject: About, path: string, place: string): Finding {
  const detail =
    path === place ? 'cannot be written' : `cannot be made: ${place} cannot be written`;
  return subject.fail(`${path} ${detail}`, command('ls', '-ld', place));
}

function isUsable(directory: string): boolean {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** File systems that other machines share, with whom SQLite shares no memory. */
const SHARED: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  1397113167: 'AFS',
  12805120: 'Ceph',
  198183888: 'Lustre',
};

/** Too little for a day's work, in bytes. */
const SCARCE = 64 * 1024 * 1024;

/** What the directories begin with in which something is tried; they are gone at once. */
export const PROBE = 'doctor-';

async function checkDisk(subject: About, path: string, variable: string): Promise<Finding[]> {
  const elsewhere = { advice: `Keep it on a local disk: set ${variable} to a directory there.` };
  const { type, bavail, bsize } = statfsSync(path);
  const shared = SHARED[type];
  if (shared) {
    return [subject.warn(`${path} is on ${shared}, where SQLite cannot share memory`, elsewhere)];
  }
  const left = bavail * bsize;
  if (left < SCARCE) {
    const detail = `${path}: its disk has ${Math.floor(left / 1024 / 1024)} MiB left`;
    return [subject.warn(detail, command('df', '-h', path))];
  }
  const place = mkdtempSync(join(path, PROBE));
  try {
    const { exclusively } = await import('../sqlite/lock.ts');
    await exclusively(join(place, 'probe.db'), async () => undefined);
    return [];
  } catch (error) {
    const { detail } = subject.failed(error);
    return [subject.fail(`SQLite does not work in ${path}: ${detail}`, elsewhere)];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
