import { copyFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { type Certificate, createAuthority } from '../support/certificates.ts';
import { connectTo } from '../support/raw-connection.ts';
import { createSandbox } from '../support/sandbox.ts';
import { startServe } from '../support/served.ts';

/** The name in the certificate that is shown on a new connection. */
function nameAt(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${url}/healthz`, { ca, agent: false }, (response) => {
      response.resume();
      const { socket } = response;
      if (socket instanceof TLSSocket) resolve(String(socket.getPeerCertificate().subject.CN));
    }).on('error', reject);
  });
}

test('connections are encrypted, and SIGHUP brings the new certificate', async () => {
  const authority = createAuthority();
  const sandbox = createSandbox();
  const [cert, key] = [join(sandbox.directory, 'tls.pem'), join(sandbox.directory, 'tls.key')];
  const put = ({ certFile, keyFile }: Certificate) => {
    copyFileSync(certFile, cert);
    copyFileSync(keyFile, key);
  };
  put(authority.issue('first', 'IP:127.0.0.1'));
  const served = await startServe(sandbox, ['--tls-cert', cert, '--tls-key', key]);
  expect(served.url).toMatch(/^https:/);
  expect(await nameAt(served.url, authority.cert)).toBe('first');

  // Who does not speak TLS gets nothing, and disturbs nobody.
  const plain = await connectTo(served.url);
  plain.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  expect(await plain.all).not.toContain('200');

  writeFileSync(key, 'no key');
  served.kill('SIGHUP');
  const kept = await served.log('the certificate stays as it was');
  expect(kept).toMatchObject({ err: { message: `${key} holds no private key in PEM.` } });
  expect(await nameAt(served.url, authority.cert)).toBe('first');

  put(authority.issue('second', 'IP:127.0.0.1'));
  served.kill('SIGHUP');
  await expect.poll(() => served.logged('the certificate was read').length).toBe(2);
  expect(await nameAt(served.url, authority.cert)).toBe('second');
  served.kill('SIGINT');
  expect(await served.outcome).toMatchObject({ code: 0 });
});

test('files that do not fit: 2', async () => {
  const authority = createAuthority();
  const { certFile } = authority.issue('a', 'IP:127.0.0.1');
  const args = ['--tls-cert', certFile, '--tls-key', authority.keyFile];
  const { code, stderr } = await createSandbox().run(['serve', '--port', '0', ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(`${authority.keyFile} is not the key of the certificate ${certFile}.`);
  expect(stderr).toContain('Hint: Give another with --tls-key.');
});
