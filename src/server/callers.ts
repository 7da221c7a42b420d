import { createHash } from 'node:crypto';
import type { Access, Bearer } from '../engine/access.ts';
import type { Gate } from './endpoints.ts';

export interface CallersOptions {
  readonly access: Pick<Access, 'bearerOf' | 'isOpen'>;
  /** Milliseconds that go on, whatever becomes of the time of day. */
  readonly elapsed: () => number;
  /** Whether callers are told apart even where there are no tokens yet. */
  readonly isGuarded: boolean;
}

/** How long a caller is known for what it was, in milliseconds: a token that is revoked works as long. */
const KNOWN_FOR = 1_000;
/** Tokens of somebody that are remembered at a time. */
const MOST_KNOWN = 10_000;
/** Tokens of nobody: there may be any number of them, and they push out only each other. */
const MOST_UNKNOWN = 1_000;
/** Characters of a token; those that are made here have 49. */
const LONGEST_TOKEN = 128;

interface Known {
  readonly bearer: Bearer;
  readonly until: number;
}

/**
 * How long who was known stays so while nothing can be found out, in milliseconds: nothing can be done
 * then either, but to look how the node itself is.
 */
const TRUSTED_FOR = 600_000;

/**
 * Remembers for a moment who a token is, so that not each request asks the database. What was told
 * apart once stays so: that the last token was removed opens nothing.
 */
export function createCallers({ access, elapsed, isGuarded }: CallersOptions): Required<Gate> {
  const bearers = createBearers(access, elapsed);
  let isClosed = isGuarded;
  let openUntil = Number.NEGATIVE_INFINITY;
  return {
    ...bearers,
    async isOpen() {
      if (isClosed) return false;
      const now = elapsed();
      if (now < openUntil) return true;
      try {
        isClosed = !(await access.isOpen());
        openUntil = now + KNOWN_FOR;
      } catch (error) {
        if (now >= openUntil + TRUSTED_FOR) throw error;
      }
      return !isClosed;
    },
  };
}

function createBearers(
  access: CallersOptions['access'],
  elapsed: () => number,
): Pick<Required<Gate>, 'bearerOf' | 'wasKnown'> {
  // By digest: a token is a part of its header, and would keep all of that.
  const known = new Map<string, Known>();
  const unknown = new Map<string, number>();
  const looking = new Map<string, Promise<Bearer | undefined>>();
  const isTrusted = (found: Known | undefined, now: number) =>
    found !== undefined && now < found.until + TRUSTED_FOR;

  const look = async (token: string, digest: string, now: number) => {
    const found = known.get(digest);
    let bearer: Bearer | undefined;
    try {
      bearer = await access.bearerOf(token);
    } catch (error) {
      // As before when it cannot be found out.
      if (!isTrusted(found, now)) throw error;
      return found?.bearer;
    } finally {
      looking.delete(digest);
    }
    const until = now + KNOWN_FOR;
    known.delete(digest);
    if (bearer) keep(known, digest, { bearer, until }, MOST_KNOWN);
    else keep(unknown, digest, until, MOST_UNKNOWN);
    return bearer;
  };

  return {
    async bearerOf(token) {
      if (token.length > LONGEST_TOKEN) return undefined;
      const now = elapsed();
      const digest = digestOf(token);
      const found = known.get(digest);
      if (found && now < found.until) return found.bearer;
      if (now < (unknown.get(digest) ?? now)) return undefined;
      const asked = looking.get(digest) ?? look(token, digest, now);
      looking.set(digest, asked);
      return asked;
    },
    wasKnown: (token) =>
      token.length <= LONGEST_TOKEN && isTrusted(known.get(digestOf(token)), elapsed()),
  };
}

/** Puts it behind all others; where there are too many, the oldest is forgotten. */
function keep<T>(kept: Map<string, T>, key: string, value: T, most: number): void {
  kept.delete(key);
  if (kept.size >= most) for (const first of kept.keys()) if (kept.delete(first)) break;
  kept.set(key, value);
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
