import * as z from 'zod/mini';
import { type Client, SCOPES, type Scope, type Token } from '../../engine/access.ts';
import type { Instant } from '../../engine/lease.ts';
import type { Transaction } from '../../engine/store.ts';
import { firstValue } from '../../sqlite/database.ts';
import type { Statements } from '../../sqlite/statements.ts';

const text = z.string();
const instantOrNull = z.nullable(z.int());

const ClientRow = z.object({
  id: text,
  namespace: text,
  name: text,
  secret_hash: text,
  scopes: text,
});
const GrantRow = z.object({ client_id: text, scopes: text, expires_at: z.int() });
const TokenRow = z.object({
  hash: text,
  namespace: text,
  name: text,
  scopes: text,
  created_at: z.int(),
  expires_at: instantOrNull,
  last_used_at: instantOrNull,
  revoked_at: instantOrNull,
});

type AccessPart = Pick<
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

const SAVE_TOKEN = `INSERT OR REPLACE INTO tokens
    (hash, namespace, name, scopes, created_at, expires_at, last_used_at, revoked_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const HAS_ACCESS = 'SELECT EXISTS (SELECT 1 FROM tokens) OR EXISTS (SELECT 1 FROM clients)';

/** The part of a transaction that keeps who may ask. */
export function bindAccess(statement: Statements, namespace: string, now: Instant): AccessPart {
  const rows = (sql: string, ...parameters: string[]) => statement(sql).all(...parameters);
  return {
    async findClient(id) {
      return rows('SELECT * FROM clients WHERE id = ?', id).map(toClient)[0];
    },
    async findClientByName(name) {
      const sql = 'SELECT * FROM clients WHERE namespace = ? AND name = ?';
      return rows(sql, namespace, name).map(toClient)[0];
    },
    async clients() {
      const sql = 'SELECT * FROM clients WHERE namespace = ? ORDER BY name';
      return rows(sql, namespace).map(toClient);
    },
    async saveClient({ id, name, namespace, secretHash, scopes }) {
      statement(
        'INSERT INTO clients (id, namespace, name, secret_hash, scopes) VALUES (?, ?, ?, ?, ?)',
      ).run(id, namespace, name, secretHash, scopes.join(' '));
    },
    async removeClient(name) {
      const client = await this.findClientByName(name);
      if (!client) return false;
      statement('DELETE FROM grants WHERE client_id = ?').run(client.id);
      statement('DELETE FROM clients WHERE id = ?').run(client.id);
      return true;
    },
    async findGrant(tokenHash) {
      const [row] = rows('SELECT * FROM grants WHERE token_hash = ?', tokenHash);
      if (row === undefined) return undefined;
      const { client_id, scopes, expires_at } = GrantRow.parse(row);
      return { tokenHash, clientId: client_id, scopes: toScopes(scopes), expiresAt: expires_at };
    },
    async saveGrant({ tokenHash, clientId, scopes, expiresAt }) {
      statement('DELETE FROM grants WHERE expires_at <= ?').run(now);
      statement(
        'INSERT INTO grants (token_hash, client_id, scopes, expires_at) VALUES (?, ?, ?, ?)',
      ).run(tokenHash, clientId, scopes.join(' '), expiresAt);
    },
    async findToken(hash) {
      return rows('SELECT * FROM tokens WHERE hash = ?', hash).map(toToken)[0];
    },
    async findTokenByName(name) {
      const sql = 'SELECT * FROM tokens WHERE namespace = ? AND name = ?';
      return rows(sql, namespace, name).map(toToken)[0];
    },
    async tokens() {
      const sql = 'SELECT * FROM tokens WHERE namespace = ? ORDER BY name';
      return rows(sql, namespace).map(toToken);
    },
    async saveToken({ hash, namespace, name, scopes, ...times }) {
      const { createdAt, expiresAt, lastUsedAt, revokedAt } = times;
      const values = [hash, namespace, name, scopes.join(' ')];
      statement(SAVE_TOKEN).run(...values, createdAt, expiresAt, lastUsedAt, revokedAt);
    },
    async hasAccess() {
      return firstValue(statement(HAS_ACCESS).all()) === 1;
    },
  };
}

function toClient(row: unknown): Client {
  const { id, namespace, name, secret_hash, scopes } = ClientRow.parse(row);
  return { id, namespace, name, secretHash: secret_hash, scopes: toScopes(scopes) };
}

function toToken(row: unknown): Token {
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
