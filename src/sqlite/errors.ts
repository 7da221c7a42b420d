import { Failure, type FailureCode } from '../domain/failure.ts';

/** Runs a piece of work on the database and turns SQLite's and the system's errors into failures. */
export function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(file, error);
  }
}

/** What a database error means to the person who has to mend it; other errors pass unchanged. */
export function explain(file: string, error: unknown): unknown {
  const code = codeOf(error);
  const remedy = code === undefined ? undefined : REMEDIES.find(({ codes }) => codes.test(code));
  if (error instanceof Failure || !remedy) return error;
  const { failure, what, hint } = remedy;
  return new Failure(failure, `${file} ${what} (${code}).`, { hint, cause: error });
}

interface Remedy {
  readonly codes: RegExp;
  readonly failure: FailureCode;
  readonly what: string;
  readonly hint: string;
}

const REMEDIES: readonly Remedy[] = [
  {
    codes: /^SQLITE_(BUSY|LOCKED)$/,
    failure: 'unavailable',
    what: 'stayed locked by another process',
    hint: 'Try again; if it lasts, look which process holds it: fuser -v on the file.',
  },
  {
    codes: /^SQLITE_(NOTADB|CORRUPT)$/,
    failure: 'usage',
    what: 'is damaged or no SQLite database',
    hint: 'Move it away, and leasectl makes a new one; what is in it is lost.',
  },
  {
    codes: /^SQLITE_(FULL|IOERR)$|^(ENOSPC|EDQUOT|EIO)$/,
    failure: 'unavailable',
    what: 'cannot be written',
    hint: 'Make room on its disk, then try again.',
  },
  {
    codes: /^SQLITE_(CANTOPEN|READONLY|PERM|AUTH|UNKNOWN)$|^E[A-Z]+$/,
    failure: 'usage',
    what: 'cannot be used',
    hint: 'Check the rights of the file and its directory.',
  },
];

/** SQLite's primary result codes; libsql has no names for the extended ones, whose low byte they are. */
const PRIMARY_CODES: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
};

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') {
    return undefined;
  }
  const raw = 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : undefined;
  if (raw !== undefined) return PRIMARY_CODES[raw & 0xff];
  // A file that cannot even be opened comes without any code.
  return error.code || 'SQLITE_UNKNOWN';
}

export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)$/.test(codeOf(error) ?? '');
}
