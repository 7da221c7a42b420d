import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Clock } from '../domain/clock.ts';
import { beginImmediate, type DatabaseKind, openDatabase } from '../sqlite/database.ts';
import { explain, explained, isBusy } from '../sqlite/errors.ts';
import tokens from './migrations/0001-tokens.sql';

/** What an access token is for: whatever differs in this has a token, and a file, of its own. */
export interface Credential {
  readonly tokenUrl: URL;
  readonly clientId: string;
  /** The client's; or the command that prints it, which may print another some time. */
  readonly secret: string | { readonly command: string };
  /** Separated by spaces; undefined leaves it to the server. */
  readonly scope: string | undefined;
}

export interface AccessToken {
  /** Secret. */
  readonly value: string;
  /** How long it is good for, in seconds, at least 0; undefined when the server does not say. */
  readonly expiresIn: number | undefined;
}

/** The access token of one credential, shared by all processes of this user. */
export interface TokenCache {
  /** The token while it is good; waits for nobody who renews it. */
  read(): string | undefined;
  /**
   * Gets a good token other than the refused one. Of all processes only one at a time fetches; the
   * others wait, and take what it got. One that dies while it fetches does not hold up the others.
   *
   * @param patience how long to wait for the others, in milliseconds
   * @throws Failure as `fetch` does, with nothing changed; `LateError` when others take too long
   */
  renew(
    refused: string | undefined,
    patience: number,
    fetch: () => Promise<AccessToken>,
  ): Promise<string>;
  /** Releases the file, as soon as no renewal is under way. */
  close(): Promise<void>;
}

/** Others did not get a token in time. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/** "toke" in ASCII. */
export const TOKENS: DatabaseKind = {
  applicationId: 0x746f6b65,
  migrations: [tokens],
  variable: 'XDG_STATE_HOME',
};

/** What a token is taken to be good for where the server does not say, in seconds. */
const USUAL_LIFE = 300;
/** No token is trusted longer, whatever the server says: a year, in seconds. */
const LONGEST_LIFE = 366 * 24 * 3_600;

/** A token is no longer used this long before its end, so that it does not run out on its way. */
const MARGIN = 30_000;
const MARGIN_SHARE = 1 / 10;

const Row = z.object({ access_token: z.string(), asked_at: z.int(), expires_at: z.int() });

const FIND = 'SELECT access_token, asked_at, expires_at FROM tokens';
const KEEP = `INSERT OR REPLACE INTO tokens (id, access_token, asked_at, expires_at)
  VALUES (1, ?, ?, ?)`;

/**
 * Opens the cache of one credential: a file of its own, so that a server that hangs holds up nobody
 * who asks another one. Only its owner may read it.
 *
 * @param patience how long opening may wait for others, in milliseconds
 * @throws Failure as `openDatabase`; so do all methods
 */
export function openTokenCache(
  directory: string,
  credential: Credential,
  { now, patience }: { readonly now: Clock; readonly patience: number },
): TokenCache {
  const file = fileOf(directory, credential);
  const db = openDatabase(file, TOKENS, patience);

  const read = () =>
    explained(file, () => {
      const [row] = db.prepare(FIND).all();
      return row === undefined ? undefined : goodToken(row, now());
    });
  const fetchAndKeep = async (fetch: () => Promise<AccessToken>) => {
    const askedAt = now();
    const { value, expiresIn = USUAL_LIFE } = await fetch();
    const life = Math.floor(Math.min(expiresIn, LONGEST_LIFE) * 1000);
    explained(file, () => db.prepare(KEEP).run(value, askedAt, askedAt + life));
    return value;
  };
  const renew: TokenCache['renew'] = async (refused, patience, fetch) => {
    await beginImmediate(db, patience).catch((error) => {
      throw isBusy(error) ? new LateError() : explain(file, error);
    });
    try {
      const known = read();
      const isAnother = known !== undefined && known !== refused;
      const token = isAnother ? known : await fetchAndKeep(fetch);
      explained(file, () => db.exec('COMMIT'));
      return token;
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  // One connection has one transaction at a time: concurrent callers queue up behind it.
  let last: Promise<unknown> = Promise.resolve();
  return {
    read,
    renew: (refused, patience, fetch) => {
      const end = performance.now() + patience;
      const earlier = last;
      const turn = inTime(earlier, patience).then(() =>
        renew(refused, end - performance.now(), fetch),
      );
      last = Promise.allSettled([earlier, turn]);
      return turn;
    },
    close: async () => {
      await last;
      if (db.open) db.close();
    },
  };
}

async function inTime(promise: Promise<unknown>, patience: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError()), patience);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Deletes the token of a credential that is not used any more, if there is one. */
export function removeTokens(directory: string, credential: Credential): void {
  const file = fileOf(directory, credential);
  explained(file, () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  });
}

function fileOf(directory: string, credential: Credential): string {
  const { tokenUrl, clientId, secret, scope } = credential;
  const identity = JSON.stringify([tokenUrl.href, clientId, secret, scope ?? null]);
  return join(directory, `${createHash('sha256').update(identity).digest('hex')}.db`);
}

/** The token in a row, unless it is about to end, or from a time to come: the clock was set back. */
function goodToken(row: unknown, now: number): string | undefined {
  const { access_token, asked_at, expires_at } = Row.parse(row);
  const margin = Math.min(MARGIN, (expires_at - asked_at) * MARGIN_SHARE);
  return asked_at <= now && now < expires_at - margin ? access_token : undefined;
}
