import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { bundleWorker } from '../support/bundle-worker.ts';
import { createSandbox, outcomeOf, temporaryDirectory } from '../support/sandbox.ts';

const ROUNDS = 10;
const RACERS = 50;

describe(`${RACERS} processes at once`, () => {
  test.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))(
    'get one lease, also where nothing exists yet: round %i',
    async () => {
      const { run, json } = createSandbox();
      const outcomes = await Promise.all(
        Array.from({ length: RACERS }, () => run(['lease', 'same-key', '--json'])),
      );
      const codes = outcomes.map(({ code }) => code).sort();
      expect(codes, outcomes.map(({ stderr }) => stderr).join('')).toEqual([
        0,
        ...Array.from({ length: RACERS - 1 }, () => 11),
      ]);
      const answers = outcomes.map(({ stdout }) => JSON.parse(stdout));
      expect(new Set(answers.map(({ lease_id }) => lease_id)).size).toBe(1);
      // The winner's handle is in the ledger: this machine can finish what it took.
      expect(await json(['complete', 'same-key'])).toMatchObject({ version: 2 });
    },
  );

  test('on a key each lose nothing', async () => {
    const { run, json } = createSandbox();
    const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`);
    const taken = await Promise.all(keys.map((key) => run(['lease', key])));
    expect(taken.map(({ code }) => code)).toEqual(keys.map(() => 0));
    const finished = await Promise.all(keys.map((key) => run(['complete', key])));
    expect(finished.map(({ code }) => code)).toEqual(keys.map(() => 0));
    expect(await json(['lease', 'last'])).toMatchObject({ usage: keys.length + 1 });
  });
});

test('a process killed 200 times in the middle of writing breaks no answer it gave', async () => {
  const directory = temporaryDirectory();
  const writer = await bundleWorker('writer', directory);
  const file = join(directory, 'leases.db');
  const answered = new Map<string, string>();
  let changes = 0;

  const writeAndDie = async (name: string, together: number) => {
    const child = spawn(process.execPath, [writer, file, name, String(together)]);
    const outcome = outcomeOf(child);
    await Promise.race([once(child.stdout, 'data'), outcome]);
    await delay(Math.random() * 25);
    child.kill('SIGKILL');
    const { signal, stdout, stderr } = await outcome;
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
    // The last line may be cut: then it was not printed.
    for (const line of stdout.split('\n').slice(0, -1)) {
      const [what = '', id = '', handle = ''] = line.split(' ');
      answered.set(id, `${what} ${handle}`);
      changes += 1;
    }
  };
  const check = () => {
    const db = new Database(file);
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    const rows = db.prepare('SELECT id, handle, finish_way AS way FROM leases').all().map(Object);
    const stored = new Map(rows.map(({ id, handle, way }) => [id, { handle, way }]));
    for (const [id, answer] of answered) {
      const [what, handle] = answer.split(' ');
      expect(stored.get(id)?.handle).toBe(handle);
      if (what === 'completed') expect(stored.get(id)?.way).toBe('complete');
    }
    // The count is written with the lease, or neither is.
    const [usage] = db.prepare('SELECT sum(acquisitions) AS total FROM usage').all().map(Object);
    expect(usage?.total).toBe(rows.length);
    db.close();
  };

  for (let round = 0; round < 100; round += 1) {
    // Many are committed otherwise than one.
    await Promise.all([writeAndDie(`a${round}`, 1), writeAndDie(`b${round}`, 40)]);
    if (round % 10 === 9) check();
  }
  check();
  expect(changes).toBeGreaterThan(200);
});

test('a command killed while it runs leaves a machine that works', async () => {
  const { start, run, json } = createSandbox();
  const begun = performance.now();
  await json(['lease', 'measure']);
  const usual = performance.now() - begun;
  let [cutShort, answered] = [0, 0];
  for (let round = 0; round < 40; round += 1) {
    const child = start(['lease', `k${round}`, '--json']);
    const outcome = outcomeOf(child);
    // From when it is about to open the database until it is done.
    await delay(usual * (0.4 + 0.7 * Math.random()));
    child.kill('SIGKILL');
    const { signal, stdout } = await outcome;
    if (signal === 'SIGKILL') cutShort += 1;
    if (stdout.endsWith('}\n')) {
      answered += 1;
      const { lease_id } = JSON.parse(stdout);
      expect(await json(['status', `k${round}`])).toMatchObject({ lease_id });
    }
  }
  expect(cutShort).toBeGreaterThan(0);
  expect(answered).toBeGreaterThan(0);
  expect((await run(['lease', 'after'])).code).toBe(0);
});
