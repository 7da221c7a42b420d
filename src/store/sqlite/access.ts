import type { Instant } from '../../engine/lease.ts';
import { firstValue } from '../../sqlite/database.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { type AccessPart, toClient, toGrant, toToken } from '../access-row.ts';

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
      return rows('SELECT * FROM grants WHERE token_hash = ?', tokenHash).map(toGrant)[0];
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
