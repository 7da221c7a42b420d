import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

/*
 * A process that does nothing but write, to be killed in the middle of it: it acquires and completes
 * keys, as many side by side as it is told, and prints each change as soon as it is answered.
 */

const [file = '', name = '', together = '1'] = process.argv.slice(2);
const engine = createEngine({
  store: openSqliteStore({ file }),
  newHandle: () => randomBytes(8).toString('hex'),
  monthlyLimit: 1_000_000,
});

async function write(name: string): Promise<never> {
  for (let index = 0; ; index += 1) {
    const id = `${name}-${index}`;
    const request = { ttl: 3_600_000, metadata: null, idempotencyKey: null, requestHash: null };
    const { outcome } = await engine.acquire({ kind: 'key', id, ...request }, NOBODY);
    if (outcome.type !== 'acquired') throw new Error(`${id} was ${outcome.type}`);
    const { handle } = outcome.lease;
    writeSync(1, `acquired ${id} ${handle}\n`);
    const nothing = { resultHash: null, errorCode: null, errorHash: null };
    const finish = {
      type: 'finish',
      way: 'complete',
      handle,
      result: { index },
      ...nothing,
    } as const;
    await engine.change('key', id, finish, NOBODY);
    writeSync(1, `completed ${id} ${handle}\n`);
  }
}

await Promise.all(Array.from({ length: Number(together) }, (_, one) => write(`${name}-${one}`)));
