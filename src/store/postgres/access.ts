import * as z from 'zod/mini';
import { type AccessPart, toClient, toGrant, toToken } from '../access-row.ts';
import type { Session, Value } from './session.ts';

const CLIENT = 'SELECT id, namespace, name, secret_hash, scopes FROM leasectl.clients';
const TOKEN = `SELECT hash, namespace, name, scopes, created_at, expires_at, last_used_at, revoked_at
  FROM leasectl.tokens`;
const GRANT = `SELECT token_hash, client_id, scopes, expires_at FROM leasectl.grants
  WHERE token_hash = $1`;
const BY_NAME = 'WHERE namespace = $1 AND name = $2';

const SAVE_CLIENT = `INSERT INTO leasectl.clients (id, namespace, name, secret_hash, scopes)
  VALUES ($1, $2, $3, $4, $5)`;
const REMOVE_CLIENT = `WITH gone AS (DELETE FROM leasectl.clients WHERE id = $1)
  DELETE FROM leasectl.grants WHERE client_id = $1`;
const SAVE_GRANT = `INSERT INTO leasectl.grants (token_hash, client_id, scopes, expires_at)
  VALUES ($1, $2, $3, $4)`;
/** Those that others are dropping already are left to them. */
const DROP_GRANTS = `DELETE FROM leasectl.grants WHERE token_hash IN (
  SELECT token_hash FROM leasectl.grants WHERE expires_at <= $1
  ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)`;
const INSERT_TOKEN = `INSERT INTO leasectl.tokens
    (hash, namespace, name, scopes, created_at, expires_at, last_used_at, revoked_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
const SAVE_TOKEN = `${INSERT_TOKEN} ON CONFLICT (namespace, name) DO UPDATE SET
  hash = excluded.hash, scopes = excluded.scopes, created_at = excluded.created_at,
  expires_at = excluded.expires_at, last_used_at = excluded.last_used_at,
  revoked_at = excluded.revoked_at`;
const HAS_ACCESS = `SELECT EXISTS (SELECT 1 FROM leasectl.tokens)
  OR EXISTS (SELECT 1 FROM leasectl.clients) AS has`;

const Has = z.tuple([z.object({ has: z.boolean() })]);

/** The part of a transaction that keeps who may ask. */
export function bindAccess(session: Session, namespace: string, isWriting: boolean): AccessPart {
  const look = (sql: string, ...values: Value[]) =>
    isWriting ? session.lockedRows(sql, ...values) : session.rows(sql, ...values);
  // Of two who look for a name in order to take it, one has to fail; see `bindLeases`.
  const free = new Set<string>();
  const clientByName = async (name: string) =>
    (await look(`${CLIENT} ${BY_NAME}`, namespace, name)).map(toClient)[0];
  return {
    async findClient(id) {
      return (await look(`${CLIENT} WHERE id = $1`, id)).map(toClient)[0];
    },
    findClientByName: clientByName,
    async clients() {
      const rows = await session.rows(`${CLIENT} WHERE namespace = $1 ORDER BY name`, namespace);
      return rows.map(toClient);
    },
    async saveClient({ id, name, namespace, secretHash, scopes }) {
      session.send(SAVE_CLIENT, id, namespace, name, secretHash, scopes.join(' '));
    },
    async removeClient(name) {
      const client = await clientByName(name);
      if (!client) return false;
      session.send(REMOVE_CLIENT, client.id);
      return true;
    },
    async findGrant(tokenHash) {
      return (await session.rows(GRANT, tokenHash)).map(toGrant)[0];
    },
    async saveGrant({ tokenHash, clientId, scopes, expiresAt }) {
      session.send(DROP_GRANTS, session.now);
      session.send(SAVE_GRANT, tokenHash, clientId, scopes.join(' '), expiresAt);
    },
    async findToken(hash) {
      return (await look(`${TOKEN} WHERE hash = $1`, hash)).map(toToken)[0];
    },
    async findTokenByName(name) {
      const rows = await look(`${TOKEN} ${BY_NAME}`, namespace, name);
      if (rows.length === 0) free.add(name);
      return rows.map(toToken)[0];
    },
    async tokens() {
      const rows = await session.rows(`${TOKEN} WHERE namespace = $1 ORDER BY name`, namespace);
      return rows.map(toToken);
    },
    async saveToken({ hash, name, scopes, ...token }) {
      const { createdAt, expiresAt, lastUsedAt, revokedAt } = token;
      const isNew = token.namespace === namespace && free.delete(name);
      const values = [hash, token.namespace, name, scopes.join(' ')];
      const times = [createdAt, expiresAt, lastUsedAt, revokedAt];
      session.send(isNew ? INSERT_TOKEN : SAVE_TOKEN, ...values, ...times);
    },
    async hasAccess() {
      return Has.parse(await session.rows(HAS_ACCESS))[0].has;
    },
  };
}
