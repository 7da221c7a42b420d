import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../paths.ts';
import type { DatabaseKind } from '../sqlite/database.ts';
import { type About, about, type Finding, guarded } from './finding.ts';
import { rightsProblems, shownWithMode } from './rights.ts';

interface Database {
  readonly subject: string;
  readonly file: string;
  readonly kind: DatabaseKind;
}

/** Whether they can be read, by whom, and at which schema they are. None of them is changed. */
export async function checkDatabases(paths: Paths): Promise<Finding[]> {
  const databases = await databasesOf(paths);
  const found = databases.map((database) => {
    const subject = about('database', database.subject);
    return guarded(subject, () => checkDatabase(subject, database));
  });
  return (await Promise.all(found)).flat();
}

async function databasesOf({ leases, handles, state, tokens }: Paths): Promise<Database[]> {
  const [{ LEASES }, { HANDLES }, { TOKENS }, { LOCK }] = await Promise.all([
    import('../store/sqlite/sqlite-store.ts'),
    import('../ledger/ledger.ts'),
    import('../tokens/token-cache.ts'),
    import('../sqlite/lock.ts'),
  ]);
  const cached = existsSync(tokens) ? readdirSync(tokens) : [];
  return [
    { subject: 'leases', file: leases, kind: LEASES },
    { subject: 'handles', file: handles, kind: HANDLES },
    { subject: 'profiles.lock', file: join(state, 'profiles.lock'), kind: LOCK },
    ...cached
      .filter((name) => name.endsWith('.db'))
      .map((name) => {
        const subject = `tokens ${name.slice(0, 8)}`;
        return { subject, file: join(tokens, name), kind: TOKENS };
      }),
  ];
}

async function checkDatabase(
  subject: About,
  { file, kind }: Database,
): Promise<readonly Finding[]> {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) return [subject.ok(`${file} is not there yet`)];
  const wrong = ['', '-wal', '-shm'].flatMap((suffix) => {
    const side = statSync(`${file}${suffix}`, { throwIfNoEntry: false });
    return side ? rightsProblems(subject, `${file}${suffix}`, side, 0o600, true) : [];
  });
  if (wrong.length > 0) return wrong;
  const { schemaOf } = await import('../sqlite/database.ts');
  const schema = schemaOf(file, kind);
  const known = kind.migrations.length;
  const later = schema < known ? `, which the next command that needs it brings to ${known}` : '';
  return [subject.ok(`${shownWithMode(file, stats)}, schema ${schema}${later}`)];
}
