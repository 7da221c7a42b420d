import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './sandbox.ts';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The contents of both. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  readonly directory: string;
  /**
   * Makes a certificate of this authority.
   *
   * @param names as OpenSSL writes alternative names, e.g. `DNS:service.test`
   * @param days how long it is good for; -1 for one that was
   */
  issue(name: string, names?: string, days?: number): Certificate;
}

/** Makes a certificate authority, with the openssl of this machine. */
export function createAuthority(): Authority {
  const directory = temporaryDirectory();
  const file = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = (name: string) => [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', file(`${name}.key`)],
  ];
  const made = (name: string): Certificate => {
    const [certFile, keyFile] = [file(`${name}.pem`), file(`${name}.key`)];
    return {
      certFile,
      keyFile,
      cert: readFileSync(certFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    };
  };
  openssl('req', '-x509', '-days', '2', ...newKey('authority'), '-out', file('authority.pem'));
  const authority = made('authority');
  return {
    ...authority,
    directory,
    issue: (name, names = `DNS:${name}`, days = 2) => {
      const more = ['-addext', `subjectAltName=${names}`];
      openssl('req', ...newKey(name), ...more, '-out', file(`${name}.csr`));
      openssl(
        ...['x509', '-req', '-in', file(`${name}.csr`), '-copy_extensions', 'copy'],
        ...['-CA', authority.certFile, '-CAkey', authority.keyFile],
        ...['-days', String(days), '-out', file(`${name}.pem`)],
      );
      return made(name);
    },
  };
}

/** The name in the certificate that whoever is on the other end has shown. */
export function clientOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  // Without a certificate there is none of its fields.
  const { subject }: Partial<PeerCertificate> = socket.getPeerCertificate();
  return subject && String(subject.CN);
}

/**
 * A server that wants a certificate of its clients, and says so when there is none: Node's own just
 * hangs up.
 *
 * @returns its port
 */
export async function startOpenSsl(authority: Authority, version: string): Promise<number> {
  const { certFile, keyFile } = authority.issue('openssl', 'IP:127.0.0.1');
  const args = ['-cert', certFile, '-key', keyFile, '-CAfile', authority.certFile, version];
  const strict = ['-Verify', '1', '-verify_return_error', '-www'];
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...args, ...strict]);
  onTestFinished(() => void server.kill());
  let said = '';
  return new Promise((resolve, reject) => {
    server.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
      const port = /^ACCEPT .*:(\d+)$/m.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    server.on('error', reject).on('exit', () => reject(new Error(`openssl: ${said}`)));
  });
}
