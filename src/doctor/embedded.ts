import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LOCAL } from '../profiles/profile.ts';
import { within } from './bounded.ts';
import { PROBE } from './directories.ts';
import { type About, about, command, type Finding, guarded } from './finding.ts';
import type { DoctorHost } from './host.ts';

/**
 * Whether the embedded service can be used: how long a transaction takes in a store of its own beside
 * the real one, and whether that can be had. What is in it is not changed.
 */
export function checkEmbedded({ context, timeout }: DoctorHost): Promise<readonly Finding[]> {
  const subject = about('embedded', LOCAL);
  return guarded(subject, async () => {
    const { leases } = context.paths;
    const directory = existsSync(dirname(leases)) ? dirname(leases) : tmpdir();
    const took = await timeTransaction(directory, timeout);
    const detail = `a transaction in ${directory} took ${took.toFixed(1)} ms`;
    const isThere = await isCurrent(leases);
    if (isThere && !(await isFree(leases, timeout))) return [locked(subject, leases)];
    const measured = { took_ms: took };
    if (took > timeout) return [subject.warn(detail, command('df', '-h', directory), measured)];
    return [subject.ok(isThere ? `${detail}; leases.db opens` : detail, measured)];
  });
}

async function timeTransaction(directory: string, timeout: number): Promise<number> {
  const { openSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
  const place = mkdtempSync(join(directory, PROBE));
  try {
    const store = openSqliteStore({ file: join(place, 'leases.db') });
    const begun = performance.now();
    await within(
      timeout,
      'A transaction',
      store.write(({ charge }) => charge('2000-01')),
    );
    const took = performance.now() - begun;
    await store.close();
    return took;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Only a database that is as this leasectl makes it is opened: to open another would change it. */
async function isCurrent(file: string): Promise<boolean> {
  const [{ LEASES }, { schemaOf }] = await Promise.all([
    import('../store/sqlite/sqlite-store.ts'),
    import('../sqlite/database.ts'),
  ]);
  return schemaOf(file, LEASES) === LEASES.migrations.length;
}

/** Whether nobody else keeps the write lock. Where somebody does, the wait for it goes on. */
async function isFree(file: string, timeout: number): Promise<boolean> {
  const { openSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
  const store = openSqliteStore({ file });
  const locked = store.write(async () => true);
  const isFree = await within(timeout, 'The lock', locked).catch(() => false);
  if (isFree) await store.close();
  return isFree;
}

function locked(subject: About, file: string): Finding {
  return subject.fail(`another process keeps ${file} locked`, command('fuser', '-v', file));
}
