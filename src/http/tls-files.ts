import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { Failure } from '../domain/failure.ts';
import { readOrdinary } from '../files/bounded-file.ts';

/** Files that a connection needs, in PEM. */
export interface TlsFiles {
  /** Authorities that are trusted beside the usual ones. */
  readonly caFile?: string | undefined;
  /** A certificate that shows the service who asks, and its key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** What connections are encrypted with. */
export interface TlsContexts {
  /** To the service. */
  readonly service: tls.SecureContext;
  /** To whoever is on the way, and has not to know who asks. */
  readonly proxy: tls.SecureContext;
}

/**
 * @param extra of NODE_EXTRA_CA_CERTS: what is trusted where nothing is said stays trusted
 * @throws Failure `usage` for files that are missing, hold something else, or do not fit
 */
export function createTlsContexts(files: TlsFiles, extra: string | undefined): TlsContexts {
  const { caFile } = files;
  const ca =
    caFile === undefined ? {} : { ca: [...usualAuthorities(extra), ...authorities(caFile)] };
  return {
    service: tls.createSecureContext({ ...ca, ...identity(files) }),
    proxy: tls.createSecureContext(ca),
  };
}

/**
 * Looks at files before anything is to rely on them.
 *
 * @throws Failure as {@link createTlsContexts}
 */
export function checkTlsFiles(files: TlsFiles): void {
  if (files.caFile !== undefined) authorities(files.caFile);
  identity(files);
}

/**
 * When a client's own certificate ends.
 *
 * @throws Failure `usage` for a file that holds none
 */
export function endOf(certFile: string): Date {
  return new Date(ownCertificate(certFile, CLIENT.cert).certificate.validTo);
}

/** Bytes: many times what all the usual authorities have. */
const LARGEST = 1024 * 1024;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function authorities(file: string): readonly string[] {
  const found = read(file, '--ca-file').match(CERTIFICATE) ?? [];
  if (found.length === 0 || !found.every(isCertificate)) throw notPem(file, '--ca-file');
  return found;
}

function usualAuthorities(extra: string | undefined): readonly string[] {
  // Newer than the oldest Node that this runs on. Knows the system's own as well, where they are asked for.
  const usual: unknown = Reflect.get(
    process.getBuiltinModule('node:tls'),
    'getCACertificates',
  )?.('default');
  if (Array.isArray(usual)) return usual.map(String);
  const more = extra ? attempt(() => readFileSync(extra, 'utf8').match(CERTIFICATE)) : undefined;
  return [...tls.rootCertificates, ...(more ?? [])];
}

function identity({ certFile, keyFile }: TlsFiles): Identity | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined;
  return readIdentity(certFile, keyFile, CLIENT);
}

/** In PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  /** When the certificate ends. */
  readonly end: Date;
}

/** The flags that name the files. */
export interface IdentityFlags {
  readonly cert: string;
  readonly key: string;
}

const CLIENT: IdentityFlags = { cert: '--client-cert', key: '--client-key' };

/**
 * Reads a certificate and its key.
 *
 * @throws Failure `usage` for files that are missing, hold something else, or do not fit
 */
export function readIdentity(certFile: string, keyFile: string, flags: IdentityFlags): Identity {
  const { pem: cert, certificate } = ownCertificate(certFile, flags.cert);
  const key = read(keyFile, flags.key);
  if (!certificate.checkPrivateKey(parseKey(key, keyFile, flags.key))) {
    throw new Failure('usage', `${keyFile} is not the key of the certificate ${certFile}.`, {
      hint: hintFor(flags.key),
    });
  }
  return { cert, key, end: new Date(certificate.validTo) };
}

/** The first one is who shows it; others beside it may lead from there to its authority. */
function ownCertificate(file: string, flag: string): { pem: string; certificate: X509Certificate } {
  const pem = read(file, flag);
  const [own] = pem.match(CERTIFICATE) ?? [];
  const certificate = own === undefined ? undefined : attempt(() => new X509Certificate(own));
  if (!certificate) throw notPem(file, flag);
  return { pem, certificate };
}

/** Both ways to say so; Node's versions fail in different ones. */
const LOCKED = /^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m;

function parseKey(pem: string, file: string, flag: string): KeyObject {
  if (LOCKED.test(pem)) {
    throw new Failure(
      'usage',
      `${file} is a key with a passphrase, which nobody can be asked for.`,
      {
        hint: 'Store it without one, in a file that only you may read: openssl pkey -in FILE -out FILE',
      },
    );
  }
  const key = attempt(() => createPrivateKey(pem));
  if (!key) throw notPem(file, flag);
  return key;
}

function isCertificate(pem: string): boolean {
  return attempt(() => new X509Certificate(pem)) !== undefined;
}

function read(file: string, flag: string): string {
  try {
    return readOrdinary(file, LARGEST, hintFor(flag));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new Failure('usage', `${file} cannot be read (${code}).`, {
      hint: hintFor(flag),
      cause: error,
    });
  }
}

function notPem(file: string, flag: string): Failure {
  const what = flag.endsWith('-key') ? 'private key' : 'certificate';
  return new Failure('usage', `${file} holds no ${what} in PEM.`, { hint: hintFor(flag) });
}

function hintFor(flag: string): string {
  if (flag.startsWith('--tls-')) return `Give another with ${flag}.`;
  return `Give another with ${flag}; where a profile has it already: leasectl profile edit NAME ${flag} FILE`;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
