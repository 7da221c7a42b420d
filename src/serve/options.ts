import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/shell.ts';
import type { Faults } from '../server/faults.ts';
import type { LogLevel } from '../server/log.ts';

/** From which kind of line on the log has them. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** How the service is to be served, as the flags say it. */
export interface ServeOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** PEM files; undefined for connections that are not encrypted. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Requests that each token may make in a second; 0 for any number. */
  readonly rate: number;
  /** Leases that each namespace may store. */
  readonly capacity: number;
  /** The database, as it is named in hints: a file, or `URL`. */
  readonly database: string;
  /** Faults that are made on purpose. */
  readonly faults: Faults | undefined;
}

/** The command that makes the first token, wherever other commands would. */
export function addFirstToken({ database }: Pick<ServeOptions, 'database'>): string {
  return `leasectl admin tokens add NAME --scope admin --database ${quoted(database)}`;
}

/**
 * @param flag for the message, e.g. `--rate`
 * @throws Failure `usage` for anything but a whole number between the two
 */
export function parseWhole(text: string, flag: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Failure('usage', `${flag} is no usable number: ${JSON.stringify(text)}.`, {
    hint: `Give a whole number from ${least} to ${most}.`,
  });
}

/** @throws Failure `usage` where there is one without the other */
export function tlsFilesOf(
  certFile: string | undefined,
  keyFile: string | undefined,
): ServeOptions['tls'] {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile === undefined && keyFile === undefined) return undefined;
  const [given, other] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key'];
  throw new Failure('usage', `There is --tls-${given}, and no --tls-${other}.`, {
    hint: 'A certificate and its key go together: give both.',
  });
}
