import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/engine/store.ts';
import { openToLook, schemaOf } from '../../src/sqlite/database.ts';
import { LEASES, openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { leaseOf } from '../support/store-suite.ts';

/** Another process, which closes the file properly. @returns what it prints */
function elsewhere(file: string, script: string): string {
  const code = `const db = new (require('libsql'))(${JSON.stringify(file)}); ${script} db.close();`;
  const { stdout } = spawnSync(process.execPath, ['-e', code], { cwd: import.meta.dirname });
  return String(stdout);
}

const CHANGE = `db.exec("INSERT INTO usage VALUES ('n', hex(randomblob(8)), 1)");`;
const DIE = "process.kill(process.pid, 'SIGKILL');";
const COUNT =
  "process.stdout.write(JSON.stringify(db.prepare('SELECT id FROM leases ORDER BY id').all()));";

test.each<[string, (file: string) => void]>([
  ['opens the file again', (file) => void openHere(file).read((view) => view.stored())],
  ['looks which version it has', (file) => void schemaOf(file, LEASES)],
])('a process that has a file open and %s keeps its locks on it', async (_, doAlso) => {
  const file = join(temporaryDirectory(), 'leases.db');
  const store = openHere(file);
  const save = (id: string) => store.write((transaction) => transaction.save(leaseOf(id)));
  await save('before');
  doAlso(file);
  elsewhere(file, CHANGE);
  await save('later');
  expect(JSON.parse(elsewhere(file, COUNT))).toEqual([{ id: 'before' }, { id: 'later' }]);
});

test.each<[string, (file: string) => void]>([
  ['looked at it', (file) => openToLook(file, LEASES)?.close()],
  ['looked which version it has', (file) => void schemaOf(file, LEASES)],
])('a process that %s before it opens it has its locks on it', async (_, look) => {
  const made = join(temporaryDirectory(), 'leases.db');
  await openHere(made).close();
  // Of this one the process knows nothing.
  const file = join(temporaryDirectory(), 'leases.db');
  for (const part of ['', '-wal']) copyFileSync(`${made}${part}`, `${file}${part}`);
  elsewhere(file, CHANGE + DIE);
  // The library closes it when it finds the time to.
  look(file);
  const store = openHere(file);
  elsewhere(file, CHANGE);
  await store.write((transaction) => transaction.save(leaseOf('later')));
  expect(JSON.parse(elsewhere(file, COUNT))).toEqual([{ id: 'later' }]);
});

function openHere(file: string): Store {
  const store = openSqliteStore({ file });
  onTestFinished(() => store.close());
  return store;
}
