import type { Instant } from './lease.ts';
import type { Store } from './store.ts';

/** What a bearer may do, as OAuth2 names it. */
export const SCOPES = ['jobs:claim', 'jobs:heartbeat', 'jobs:submit'] as const;
export type Scope = (typeof SCOPES)[number];

/** A program that may ask for access tokens. */
export interface Client {
  readonly id: string;
  readonly name: string;
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
  readonly store: Store;
  /** 256 random bits, as text. */
  readonly newSecret: () => string;
  /** A digest that cannot be turned back. */
  readonly hash: (secret: string) => string;
}

/** Who asks. */
export interface Bearer {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

export interface TokenRequest {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Undefined for all that the client may. */
  readonly scopes: readonly string[] | undefined;
}

export type TokenAnswer =
  | { readonly type: 'granted'; readonly token: string; readonly scopes: readonly Scope[] }
  | { readonly type: 'refused'; readonly reason: 'invalid_client' | 'invalid_scope' };

export interface Access {
  /** Adds a client. Its secret is told here and never again. Undefined when the name is taken. */
  addClient(
    name: string,
    scopes: readonly Scope[],
  ): Promise<{ id: string; secret: string } | undefined>;
  /** OAuth2's client credentials grant: a token that lasts {@link TOKEN_LIFETIME}. */
  grant(request: TokenRequest): Promise<TokenAnswer>;
  /** Whose access token this is; undefined when it is nobody's, or over. */
  bearerOf(token: string): Promise<Bearer | undefined>;
}

/** Milliseconds. */
export const TOKEN_LIFETIME = 3_600_000;

export function createAccess({ store, newSecret, hash }: AccessOptions): Access {
  return {
    addClient: (name, scopes) =>
      store.write(async (transaction) => {
        if (await transaction.findClientByName(name)) return undefined;
        const id = `client_${hash(newSecret()).slice(0, 16)}`;
        const secret = `secret_${newSecret()}`;
        await transaction.saveClient({ id, name, secretHash: hash(secret), scopes });
        return { id, secret };
      }),

    grant: ({ clientId, clientSecret, scopes }) =>
      store.write(async (transaction) => {
        const client = await transaction.findClient(clientId);
        if (client?.secretHash !== hash(clientSecret)) {
          return { type: 'refused', reason: 'invalid_client' };
        }
        const granted = client.scopes.filter((scope) => scopes?.includes(scope) ?? true);
        if (scopes !== undefined && granted.length < new Set(scopes).size) {
          return { type: 'refused', reason: 'invalid_scope' };
        }
        const token = `token_${newSecret()}`;
        await transaction.saveGrant({
          tokenHash: hash(token),
          clientId,
          scopes: granted,
          expiresAt: transaction.now + TOKEN_LIFETIME,
        });
        return { type: 'granted', token, scopes: granted };
      }),

    bearerOf: (token) =>
      store.read(async (view) => {
        const grant = await view.findGrant(hash(token));
        if (!grant || grant.expiresAt <= view.now) return undefined;
        const client = await view.findClient(grant.clientId);
        return client && { name: client.name, scopes: grant.scopes };
      }),
  };
}
