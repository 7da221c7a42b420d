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
 * How long who was known stays so while nothing can be found out, in milliseconds: nothing can be done
 * then either, but to look how the node itself is.
 */
const TRUSTED_FOR = 600_000;

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
      const isTrusted = found !== undefined && now < found.until + TRUSTED_FOR;
      const bearer = access.bearerOf(token).catch((error) => {
        // As before when it cannot be found out.
        known.delete(token);
        if (!isTrusted) throw error;
        known.set(token, found);
        return found.bearer;
      });
      // Behind all others.
      known.delete(token);
      known.set(token, { bearer, until: now + KNOWN_FOR });
      return bearer;
    },
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
