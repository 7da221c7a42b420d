import type { Stats } from 'node:fs';
import { type About, command, type Finding } from './finding.ts';

const GROUP_OR_OTHERS = 0o077;
const WRITABLE_BY_THEM = 0o022;

/**
 * What is wrong with whose a file or directory is, and with who may do what with it. Nothing where
 * the system has no such rights.
 *
 * @param right its mode as it should be
 * @param isSecret whether it is too much already that others read it
 */
export function rightsProblems(
  subject: About,
  path: string,
  { uid, mode }: Stats,
  right: 0o600 | 0o700,
  isSecret = false,
): Finding[] {
  const self = process.getuid?.();
  if (self === undefined) return [];
  if (uid !== self) {
    const mend = command('sudo', 'chown', '-R', String(self), path);
    return [subject.fail(`${path} belongs to user ${uid}, and not to you, ${self}`, mend)];
  }
  const mend = command('chmod', right.toString(8), path);
  const shown = `${path} (${octal(mode)})`;
  if ((mode & right) !== right) return [subject.fail(`${shown}: you may not use it`, mend)];
  if ((mode & GROUP_OR_OTHERS) === 0) return [];
  if ((mode & WRITABLE_BY_THEM) !== 0)
    return [subject.fail(`${shown}: others may change it`, mend)];
  const detail = `${shown}: others may read it`;
  return [isSecret ? subject.fail(detail, mend) : subject.warn(detail, mend)];
}

/** A path with its mode, for people; without where the system has none. */
export function shownWithMode(path: string, { mode }: Stats): string {
  return process.getuid ? `${path} (${octal(mode)})` : path;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
