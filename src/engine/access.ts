import type { Instant } from './lease.ts';
import type { Store, View } from './store.ts';

/** What a bearer may do, as OAuth2 names it. */
export const SCOPES = [
  'keys:read',
  'keys:write',
  'jobs:claim',
  'jobs:heartbeat',
  'jobs:submit',
  'runner-jobs',
  'metrics',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A secret that somebody shows with each request. */
export interface Token {
  /** Unique in its namespace. */
  readonly name: string;
  readonly namespace: string;
  /** Of a secret with 256 random bits, so that a plain digest is enough. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Instant;
  /** Null for never. */
  readonly expiresAt: Instant | null;
  /** Null for never yet; exact to a minute. */
  readonly lastUsedAt: Instant | null;
  /** Null for one that is not revoked. */
  readonly revokedAt: Instant | null;
}

/** A program that may ask for access tokens. */
export interface Client {
  readonly id: string;
  /** Unique in its namespace. */
  readonly name: string;
  readonly namespace: string;
  /** Of a secret with 256 random bits, so that a plain digest is enough. */
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
}

/** What an access token stands for. */
export interface Grant {
  readonly tokenHash: string;
  readonly clientId: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Instant;
}

export interface AccessOptions {
  /** Of the namespace whose tokens and clients are managed. */
  readonly store: Store;
  readonly namespace: string;
  /** 256 random bits, as text. */
  readonly newSecret: () => string;
  /** A digest that cannot be turned back. */
  readonly hash: (secret: string) => string;
}

/** Who asks. */
export interface Bearer {
  /** Whether it showed a token of its own, or a client's: the two may have the same name. */
  readonly kind: 'token' | 'client';
  readonly name: string;
  readonly namespace: string;
  readonly scopes: readonly Scope[];
}

export interface TokenRequest {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Undefined for all that the client may. */
  readonly scopes: readonly string[] | undefined;
}

interface Granted {
  readonly type: 'granted';
  readonly token: string;
  readonly scopes: readonly Scope[];
}

interface Refusal {
  readonly type: 'refused';
  readonly reason: 'invalid_client' | 'invalid_scope';
}

export type TokenAnswer = Granted | Refusal;

export interface NewToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds from now; undefined for ever. */
  readonly lifetime: number | undefined;
}

export interface Access {
  /** Adds a token. Its secret is told here and never again. Undefined when the name is taken. */
  addToken(token: NewToken): Promise<{ token: Token; secret: string } | undefined>;
  tokens(): Promise<readonly Token[]>;
  /** From now on it is nobody's. Undefined when there is none of this name. */
  revokeToken(name: string): Promise<Token | undefined>;
  /** Adds a client. Its secret is told here and never again. Undefined when the name is taken. */
  addClient(
    name: string,
    scopes: readonly Scope[],
  ): Promise<{ id: string; secret: string } | undefined>;
  clients(): Promise<readonly Client[]>;
  /** Drops a client and the access tokens that it got. @returns whether there was one of this name */
  removeClient(name: string): Promise<boolean>;
  /** OAuth2's client credentials grant, of any namespace: a token that lasts {@link TOKEN_LIFETIME}. */
  grant(request: TokenRequest): Promise<TokenAnswer>;
  /**
   * Whose token this is, of any namespace, be it one that was added or one that was granted; undefined
   * when it is nobody's, over or revoked. Notes that it was used.
   */
  bearerOf(token: string): Promise<Bearer | undefined>;
  /** Whether there has never been any token or client, in any namespace: then everybody may everything. */
  isOpen(): Promise<boolean>;
}

/** Milliseconds. */
export const TOKEN_LIFETIME = 3_600_000;

/** How exact it is noted when a token was last used, in milliseconds. */
const USE_NOTED_EVERY = 60_000;

export function createAccess({ store, namespace, newSecret, hash }: AccessOptions): Access {
  return {
    addToken: ({ name, scopes, lifetime }) =>
      store.write(async (transaction) => {
        if (await transaction.findTokenByName(name)) return undefined;
        const secret = `token_${newSecret()}`;
        const { now } = transaction;
        const token: Token = {
          name,
          namespace,
          hash: hash(secret),
          scopes,
          createdAt: now,
          expiresAt: lifetime === undefined ? null : now + lifetime,
          lastUsedAt: null,
          revokedAt: null,
        };
        await transaction.saveToken(token);
        return { token, secret };
      }),

    tokens: () => store.read((view) => view.tokens()),

    revokeToken: (name) =>
      store.write(async (transaction) => {
        const token = await transaction.findTokenByName(name);
        if (!token) return undefined;
        const revoked = { ...token, revokedAt: token.revokedAt ?? transaction.now };
        await transaction.saveToken(revoked);
        return revoked;
      }),

    addClient: (name, scopes) =>
      store.write(async (transaction) => {
        if (await transaction.findClientByName(name)) return undefined;
        const id = `client_${hash(newSecret()).slice(0, 16)}`;
        const secret = `secret_${newSecret()}`;
        await transaction.saveClient({ id, name, namespace, secretHash: hash(secret), scopes });
        return { id, secret };
      }),

    clients: () => store.read((view) => view.clients()),

    removeClient: (name) => store.write((transaction) => transaction.removeClient(name)),

    async grant({ clientId, clientSecret, scopes }) {
      const secretHash = hash(clientSecret);
      const look = async (view: View) =>
        grantable(await view.findClient(clientId), secretHash, scopes);
      // Who is refused keeps nobody waiting who has something to write.
      const first = await store.read(look);
      if (first.type === 'refused') return first;
      return store.write(async (transaction): Promise<TokenAnswer> => {
        // It may have been removed meanwhile.
        const answer = await look(transaction);
        if (answer.type === 'refused') return answer;
        const token = `token_${newSecret()}`;
        const expiresAt = transaction.now + TOKEN_LIFETIME;
        const tokenHash = hash(token);
        await transaction.saveGrant({ tokenHash, clientId, scopes: answer.scopes, expiresAt });
        return { ...answer, token };
      });
    },

    async bearerOf(secret) {
      const found = await store.read((view) => bearerIn(view, hash(secret)));
      if (found && 'used' in found) {
        const { used } = found;
        await store.write(async (transaction) => {
          const token = await transaction.findToken(used.hash);
          if (token) await transaction.saveToken({ ...token, lastUsedAt: transaction.now });
        });
      }
      return found?.bearer;
    },

    isOpen: () => store.read(async (view) => !(await view.hasAccess())),
  };
}

/** What a client gets for its secret, but for the token. */
function grantable(
  client: Client | undefined,
  secretHash: string,
  scopes: TokenRequest['scopes'],
): Refusal | Omit<Granted, 'token'> {
  if (client?.secretHash !== secretHash) return { type: 'refused', reason: 'invalid_client' };
  const granted = client.scopes.filter((scope) => scopes?.includes(scope) ?? true);
  const isMore = scopes !== undefined && granted.length < new Set(scopes).size;
  if (isMore) return { type: 'refused', reason: 'invalid_scope' };
  return { type: 'granted', scopes: granted };
}

/** @returns the token itself, too, where it is time to note that it was used */
async function bearerIn(
  view: View,
  hash: string,
): Promise<{ bearer: Bearer; used?: Token } | undefined> {
  const token = await view.findToken(hash);
  if (token) {
    const { name, namespace, scopes, expiresAt, lastUsedAt, revokedAt } = token;
    if (revokedAt !== null || (expiresAt !== null && expiresAt <= view.now)) return undefined;
    const bearer: Bearer = { kind: 'token', name, namespace, scopes };
    const isNoted = lastUsedAt !== null && view.now < lastUsedAt + USE_NOTED_EVERY;
    return isNoted ? { bearer } : { bearer, used: token };
  }
  const grant = await view.findGrant(hash);
  if (!grant || grant.expiresAt <= view.now) return undefined;
  const client = await view.findClient(grant.clientId);
  if (!client) return undefined;
  const { name, namespace } = client;
  return { bearer: { kind: 'client', name, namespace, scopes: grant.scopes } };
}
