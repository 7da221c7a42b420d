import type Database from 'libsql';
import * as z from 'zod/mini';
import { type Client, SCOPES, type Scope } from '../../engine/access.ts';
import type { Instant } from '../../engine/lease.ts';
import type { Transaction } from '../../engine/store.ts';

const ClientRow = z.object({
  id: z.string(),
  name: z.string(),
  secret_hash: z.string(),
  scopes: z.string(),
});
const GrantRow = z.object({ client_id: z.string(), scopes: z.string(), expires_at: z.int() });

type AccessPart = Pick<
  Transaction,
  'findClient' | 'findClientByName' | 'saveClient' | 'findGrant' | 'saveGrant'
>;

/** The part of a transaction that keeps clients and what was granted to them. */
export function bindAccess(db: Database.Database, now: Instant): AccessPart {
  return {
    async findClient(id) {
      return toClient(db.prepare('SELECT * FROM clients WHERE id = ?').all(id)[0]);
    },
    async findClientByName(name) {
      return toClient(db.prepare('SELECT * FROM clients WHERE name = ?').all(name)[0]);
    },
    async saveClient({ id, name, secretHash, scopes }) {
      db.prepare('INSERT INTO clients (id, name, secret_hash, scopes) VALUES (?, ?, ?, ?)').run(
        id,
        name,
        secretHash,
        scopes.join(' '),
      );
    },
    async findGrant(tokenHash) {
      const [row] = db.prepare('SELECT * FROM grants WHERE token_hash = ?').all(tokenHash);
      if (row === undefined) return undefined;
      const { client_id, scopes, expires_at } = GrantRow.parse(row);
      return { tokenHash, clientId: client_id, scopes: toScopes(scopes), expiresAt: expires_at };
    },
    async saveGrant({ tokenHash, clientId, scopes, expiresAt }) {
      db.prepare('DELETE FROM grants WHERE expires_at <= ?').run(now);
      db.prepare(
        'INSERT INTO grants (token_hash, client_id, scopes, expires_at) VALUES (?, ?, ?, ?)',
      ).run(tokenHash, clientId, scopes.join(' '), expiresAt);
    },
  };
}

function toClient(row: unknown): Client | undefined {
  if (row === undefined) return undefined;
  const { id, name, secret_hash, scopes } = ClientRow.parse(row);
  return { id, name, secretHash: secret_hash, scopes: toScopes(scopes) };
}

/** A scope that this version does not know is no longer given. */
function toScopes(text: string): Scope[] {
  return SCOPES.filter((scope) => text.split(' ').includes(scope));
}
