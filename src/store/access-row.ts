import * as z from 'zod/mini';
import { type Client, type Grant, SCOPES, type Scope, type Token } from '../engine/access.ts';
import type { Transaction } from '../engine/store.ts';

const text = z.string();
const instantOrNull = z.nullable(z.int());

const ClientRow = z.lazy(() =>
  z.object({
    id: text,
    namespace: text,
    name: text,
    secret_hash: text,
    scopes: text,
  }),
);
const GrantRow = z.lazy(() =>
  z.object({
    token_hash: text,
    client_id: text,
    scopes: text,
    expires_at: z.int(),
  }),
);
const TokenRow = z.lazy(() =>
  z.object({
    hash: text,
    namespace: text,
    name: text,
    scopes: text,
    created_at: z.int(),
    expires_at: instantOrNull,
    last_used_at: instantOrNull,
    revoked_at: instantOrNull,
  }),
);

/** The part of a transaction that keeps who may ask. */
export type AccessPart = Pick<
  Transaction,
  | 'findClient'
  | 'findClientByName'
  | 'clients'
  | 'saveClient'
  | 'removeClient'
  | 'findGrant'
  | 'saveGrant'
  | 'findToken'
  | 'findTokenByName'
  | 'tokens'
  | 'saveToken'
  | 'hasAccess'
>;

export function toClient(row: unknown): Client {
  const { id, namespace, name, secret_hash, scopes } = ClientRow.parse(row);
  return { id, namespace, name, secretHash: secret_hash, scopes: toScopes(scopes) };
}

export function toGrant(row: unknown): Grant {
  const { token_hash, client_id, scopes, expires_at } = GrantRow.parse(row);
  return {
    tokenHash: token_hash,
    clientId: client_id,
    scopes: toScopes(scopes),
    expiresAt: expires_at,
  };
}

export function toToken(row: unknown): Token {
  const { hash, namespace, name, scopes, ...times } = TokenRow.parse(row);
  return {
    hash,
    namespace,
    name,
    scopes: toScopes(scopes),
    createdAt: times.created_at,
    expiresAt: times.expires_at,
    lastUsedAt: times.last_used_at,
    revokedAt: times.revoked_at,
  };
}

/** A scope that this version does not know is no longer given. */
function toScopes(text: string): Scope[] {
  return SCOPES.filter((scope) => text.split(' ').includes(scope));
}
