import type { Access, Bearer } from '../engine/access.ts';
import type { AppOptions } from './app.ts';

export interface CallersOptions {
  readonly access: Pick<Access, 'bearerOf' | 'isOpen'>;
  /** Milliseconds that go on, whatever becomes of the time of day. */
  readonly elapsed: () => number;
  /** Whether callers are told apart even where there are no tokens yet. */
  readonly isGuarded: boolean;
}

/** How long a caller is known for what it was, in milliseconds: a token that is revoked works as long. */
const KNOWN_FOR = 1_000;
/** Tokens, known or not, that are remembered at a time. */
const MOST = 10_000;

interface Known {
  readonly bearer: Promise<Bearer | undefined>;
  readonly until: number;
}

/**
 * Remembers for a moment who a token is, so that not each request asks the database. What was told
 * apart once stays so: that the last token was removed opens nothing.
 */
export function createCallers({
  access,
  elapsed,
  isGuarded,
}: CallersOptions): NonNullable<AppOptions['access']> {
  const known = new Map<string, Known>();
  let isClosed = isGuarded;
  let openUntil = Number.NEGATIVE_INFINITY;
  return {
    bearerOf(token) {
      const now = elapsed();
      const found = known.get(token);
      if (found && now < found.until) return found.bearer;
      // The oldest is the first.
      if (known.size >= MOST) for (const first of known.keys()) if (known.delete(first)) break;
      const bearer = access.bearerOf(token);
      // Behind all others, and forgotten at once when it could not be found out.
      known.delete(token);
      known.set(token, { bearer, until: now + KNOWN_FOR });
      bearer.catch(() => known.delete(token));
      return bearer;
    },
    async isOpen() {
      if (isClosed) return false;
      const now = elapsed();
      if (now < openUntil) return true;
      isClosed = !(await access.isOpen());
      openUntil = now + KNOWN_FOR;
      return !isClosed;
    },
  };
}
