import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { engineOn } from '../../src/engines.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { anything } from '../support/fuzz/anything.ts';
import { broken } from '../support/fuzz/breaking.ts';
import { messages } from '../support/fuzz/messages.ts';
import { createVictims, stateOf } from '../support/fuzz/world.ts';
import { createSandbox } from '../support/sandbox.ts';
import { startServe } from '../support/served.ts';

const MESSAGES = Number(process.env['FUZZ_MESSAGES'] ?? 2_000);
/** Connections at a time. */
const CROWD = 16;
/** Milliseconds after which who got no answer hangs up. */
const PATIENCE = 10_000;

/** What a sample need not have any of: extensions of chunks beyond Node's bound. */
const LONG_CHUNK = Buffer.from(
  `POST /v1/ai/lease HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n{\r\n0\r\n\r\n`,
);

/** Sends bytes, and no more. @returns the status of each answer */
function send(url: string, message: Buffer): Promise<number[]> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const parts: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.end(message));
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.on('data', (part) => parts.push(part));
    // A hang-up in the middle of what is sent.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const text = Buffer.concat(parts).toString('latin1');
      resolve([...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status)));
    });
  });
}

test('whatever comes over connections is survived, and changes nothing that is held', async () => {
  const sandbox = createSandbox();
  const store = openSqliteStore({ file: sandbox.databaseFile });
  const engine = engineOn(store);
  const victims = await createVictims(engine);
  const before = await stateOf(engine, victims.kept);
  const { admin: _, ...dialects } = victims.templates;
  const templates = Object.values(dialects).flat();
  const requests = fc.oneof(...templates.map(broken), anything(templates, victims.kept));
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const waiting = [LONG_CHUNK, ...fc.sample(messages(requests), { numRuns: MESSAGES, seed })];
  const { url, child } = await startServe(sandbox, ['--log-level', 'error']);

  const statuses = new Map<number, number>();
  const worker = async () => {
    for (let message = waiting.pop(); message; message = waiting.pop()) {
      const answers = await send(url, message);
      for (const status of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const about = `FUZZ_SEED=${seed}: ${JSON.stringify(message.toString('latin1').slice(0, 2_000))}`;
      expect(
        answers.filter((status) => status >= 500),
        about,
      ).toEqual([]);
    }
  };
  await Promise.all(Array.from({ length: CROWD }, worker));

  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await stateOf(engine, victims.kept), `FUZZ_SEED=${seed}`).toEqual(before);
  await store.close();
  // Refused, for whichever reason, and by whichever part; and some of it was no request at all.
  expect([...statuses.keys()]).toEqual(
    expect.arrayContaining([200, 400, 403, 404, 409, 422, 423, 431]),
  );
});
