import pg from 'pg';
import { Failure, type FailureCode } from '../../domain/failure.ts';

interface Remedy {
  /** SQLSTATEs, or codes of the system or of TLS. */
  readonly codes: RegExp;
  readonly failure: FailureCode;
  readonly what: string;
  readonly hint: string;
}

const REMEDIES: readonly Remedy[] = [
  {
    codes: /^28P01$/,
    failure: 'unauthorized',
    what: 'does not take the password',
    hint: 'Check the user and the password in the URL, in PGPASSWORD or in the file of PGPASSFILE.',
  },
  {
    codes: /^28/,
    failure: 'unauthorized',
    what: 'does not let this user in from here',
    hint: 'Check the user, and pg_hba.conf; if it wants TLS, add ?sslmode=verify-full to the URL.',
  },
  {
    codes: /^3D000$/,
    failure: 'usage',
    what: 'has no such database',
    hint: 'Make it with createdb, or check the URL.',
  },
  {
    codes: /^42501$/,
    failure: 'usage',
    what: 'does not give this user the rights that leasectl needs',
    hint: 'Let it own the schema leasectl, or let it make that: GRANT CREATE ON DATABASE … TO …',
  },
  {
    codes: /^22P05$/,
    failure: 'usage',
    what: 'cannot keep all characters',
    hint: 'Use a database with the encoding UTF8.',
  },
  {
    codes: /^25006$/,
    failure: 'unavailable',
    what: 'only lets itself be read',
    hint: 'It is a standby, or about to become the primary: check the URL, or try again.',
  },
  {
    codes: /^(53300|57P03)$/,
    failure: 'unavailable',
    what: 'takes no more connections now',
    hint: 'Try again; if it lasts, let it have more (max_connections), or start fewer nodes.',
  },
  {
    codes: /^(57014|55P03|25P03|25P04)$/,
    failure: 'unavailable',
    what: 'took too long',
    hint: 'Try again; if it lasts, look in pg_stat_activity what it is busy with.',
  },
  {
    codes: /^(40|23505)/,
    failure: 'unavailable',
    what: 'had too many changes at once',
    hint: 'Try again.',
  },
  {
    codes: /^53/,
    failure: 'unavailable',
    what: 'cannot be written',
    hint: 'Make room on its disk or in its memory, then try again.',
  },
  {
    codes: /^(08|57P0|58)/,
    failure: 'unavailable',
    what: 'went away',
    hint: 'Try again when it is back.',
  },
  {
    codes: /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_CA|ERR_TLS_|ERR_SSL_)/,
    failure: 'usage',
    what: 'does not show a certificate that is good',
    hint: 'Check the host in the URL; name an authority of your own with ?sslmode=verify-full&sslrootcert=FILE',
  },
];

const OUT_OF_REACH: Pick<Remedy, 'failure' | 'hint'> = {
  failure: 'unavailable',
  hint: 'Check that it runs, and the host and the port in the URL.',
};

/** What an error of the driver means to the person who has to mend it. */
export function explain(label: string, error: unknown): unknown {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  const remedy = code === undefined ? undefined : REMEDIES.find(({ codes }) => codes.test(code));
  if (remedy) {
    const { failure, what, hint } = remedy;
    return new Failure(failure, `${label} ${what} (${code}).`, { hint, cause: error });
  }
  // What else the server says is about a statement of ours: a bug, and has to look like one.
  if (error instanceof pg.DatabaseError) return error;
  const { failure, hint } = OUT_OF_REACH;
  const why = code === undefined ? '' : ` (${code})`;
  return new Failure(failure, `${label} is out of reach${why}.`, { hint, cause: error });
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether somebody else's change came in between, and all of the transaction is gone. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(40|23505)/.test(error.code ?? '');
}

/** Whether the connection is lost, be it that the server said so or that nothing is heard from it. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof Failure) return false;
  return !(error instanceof pg.DatabaseError) || /^(08|57P0|25P0[34])/.test(error.code ?? '');
}
