// What else leases are taken from, each as durable as it can be: Redis and etcd, where they are installed.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { httpLengthOf, httpPost, openConnection } from './load.mjs';
import { bodyOf, end, openAll, TTL } from './targets.mjs';

/** @returns undefined where it is not installed */
export async function startRedis(directory) {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  const port = await freePort();
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const child = spawn('redis-server', [...args, ...durable].map(String));
  for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept')) break;
  const lengthOf = (buffer) => {
    const at = buffer.indexOf('\r\n');
    return at < 0 ? undefined : at + 2;
  };
  return {
    name: 'redis SET NX PX',
    open: (count) => openAll(count, () => openConnection(port, lengthOf), setIfNone),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function setIfNone({ ask }) {
  const parts = ['SET', randomUUID(), 'held', 'NX', 'PX', `${TTL}000`];
  const words = parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('');
  const answer = String(await ask(`*${parts.length}\r\n${words}`));
  if (answer !== '+OK\r\n') throw new Error(answer);
}

/** One member, which has nobody to agree with. @returns undefined where it is not installed */
export async function startEtcd(directory) {
  if (spawnSync('etcd', ['--version']).status !== 0) return undefined;
  const [port, peerPort] = [await freePort(), await freePort()];
  const [client, peer] = [port, peerPort].map((number) => `http://127.0.0.1:${number}`);
  const flags = {
    'data-dir': `${directory}/etcd`,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'log-level': 'error',
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn('etcd', args, { stdio: 'ignore' });
  const open = (count, work = grantAndCreate) =>
    openAll(count, () => openConnection(port, httpLengthOf), work);
  await untilAnswered(open, child);
  return {
    name: 'etcd lease grant and create-if-absent',
    open,
    stop: () => end(child, 'SIGTERM'),
  };
}

/** Two requests. @returns the lease */
async function grantAndCreate({ ask }) {
  const { ID: lease } = bodyOf(await ask(httpPost('/v3/lease/grant', { TTL })));
  const key = Buffer.from(randomUUID()).toString('base64');
  const isAbsent = { key, target: 'CREATE', result: 'EQUAL', create_revision: '0' };
  const put = { key, value: Buffer.from('held').toString('base64'), lease };
  const transaction = { compare: [isAbsent], success: [{ request_put: put }] };
  const done = bodyOf(await ask(httpPost('/v3/kv/txn', transaction)));
  if (done.succeeded !== true) throw new Error(JSON.stringify(done));
  return lease;
}

/** Three requests: the key is gone at the end. */
export async function grantCreateAndRevoke(connection) {
  const ID = await grantAndCreate(connection);
  const revoked = bodyOf(await connection.ask(httpPost('/v3/lease/revoke', { ID })));
  if (revoked.header === undefined) throw new Error(JSON.stringify(revoked));
}

/** Until it has taken one lease. */
async function untilAnswered(open, child) {
  for (let tries = 0; child.exitCode === null; tries += 1) {
    try {
      const { workers, close } = await open(1);
      await workers[0]().finally(close);
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await delay(100);
    }
  }
  throw new Error('etcd has ended');
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
