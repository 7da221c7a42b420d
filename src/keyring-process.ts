import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { carryOut, type Order } from './secrets/keyring-worker.ts';

/*
 * The keyring's process: see secrets/keyring-worker.ts. Its stdin stays open as long as somebody waits
 * for the answer.
 */

const lines = createInterface(process.stdin);
// The only end that a thread which hangs in the library does not hold up.
lines.on('close', () => process.kill(process.pid, 'SIGKILL'));
once(lines, 'line').then(async ([line]) => {
  const order: Order = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await carryOut(order))}\n`);
});
