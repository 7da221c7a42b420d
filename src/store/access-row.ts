import { integer, orNull, rowOf, text } from '../domain/columns.ts';
import { type Client, type Grant, SCOPES, type Scope, type Token } from '../engine/access.ts';
import type { Transaction } from '../engine/store.ts';

const instantOrNull = orNull(integer);

const clientRow = rowOf({
  id: text,
  namespace: text,
  name: text,
  secret_hash: text,
  scopes: text,
});
const grantRow = rowOf({
  token_hash: text,
  client_id: text,
  scopes: text,
  expires_at: integer,
});
const tokenRow = rowOf({
  hash: text,
  namespace: text,
  name: text,
  scopes: text,
  created_at: integer,
  expires_at: instantOrNull,
  last_used_at: instantOrNull,
  revoked_at: instantOrNull,
});

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
  const { id, namespace, name, secret_hash, scopes } = clientRow(row);
  return { id, namespace, name, secretHash: secret_hash, scopes: toScopes(scopes) };
}

export function toGrant(row: unknown): Grant {
  const { token_hash, client_id, scopes, expires_at } = grantRow(row);
  return {
    tokenHash: token_hash,
    clientId: client_id,
    scopes: toScopes(scopes),
    expiresAt: expires_at,
  };
}

export function toToken(row: unknown): Token {
  const { hash, namespace, name, scopes, ...times } = tokenRow(row);
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
