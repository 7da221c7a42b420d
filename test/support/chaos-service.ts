import { randomUUID } from 'node:crypto';
import Database from 'libsql';
import { onTestFinished } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { workOf as runnerWorkOf } from '../../src/services/askui/new-job.ts';
import { workOf } from '../../src/services/retaia/new-job.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Row } from './exec-check.ts';

export const SERVICES = ['onceonly', 'retaia', 'askui'] as const;
export type Service = (typeof SERVICES)[number];

/** What differs between the services, for those who contend for a lease. */
export interface Rules {
  /** Milliseconds that a lease lasts. */
  readonly ttl: number;
  /** What the base URL ends with. */
  readonly basePath: string;
  /** The command and its flags, but for those that all have. */
  readonly args: (id: string, by: string) => readonly string[];
  /** Whether the id that they contend for is theirs to name. */
  readonly isNamed: boolean;
  /** The exit code of a command whose work is to be done again; undefined where that cannot be. */
  readonly retryable: number | undefined;
  /** Makes what is contended for. */
  readonly add: (engine: Engine, id: string) => Promise<unknown>;
}

/** Milliseconds that whoever gets a lease can count on, unless it is renewed. */
export const CERTAIN = 2_000;

/**
 * Jobs are leased for a second longer: their end, and the time by the service's clock, are told in
 * whole seconds, and what is uncertain counts as gone.
 */
export const RULES: Readonly<Record<Service, Rules>> = {
  onceonly: {
    ttl: 2_000,
    basePath: '',
    args: (id) => ['exec', id, '--ttl', '2s'],
    isNamed: true,
    retryable: undefined,
    add: async () => undefined,
  },
  retaia: {
    ttl: 3_000,
    basePath: '/api/v1',
    args: (id) => ['jobs', 'exec', id, '--retryable-exit', '75'],
    isNamed: true,
    retryable: 75,
    add: (engine, id) => {
      // A type that no patch is asked for.
      const work = workOf({ job_type: 'chaos' }, randomUUID);
      return engine.add([{ kind: 'job', id, ttl: 3_000, work }], NOBODY);
    },
  },
  askui: {
    ttl: 3_000,
    basePath: '',
    args: (_, by) => ['runner-jobs', 'exec', '--runner-id', by],
    isNamed: false,
    retryable: undefined,
    add: (engine, id) => {
      const work = runnerWorkOf({ max_tries: 1_000 }, randomUUID);
      return engine.add([{ kind: 'runner_job', id, ttl: 3_000, work }], NOBODY);
    },
  },
};

/** The service's database, beside the service. */
export interface Books {
  readonly engine: Engine;
  rows(): Row[];
}

const ROWS = `SELECT id, finish_way AS way,
  CASE kind WHEN 'key' THEN acquired_version ELSE fencing_token END AS token FROM leases`;

export function openBooks(file: string): Books {
  const store = openSqliteStore({ file });
  const engine = createEngine({ store, newHandle: () => randomUUID(), monthlyLimit: 1 });
  const db = new Database(file);
  onTestFinished(async () => {
    db.close();
    await store.close();
  });
  // What a key's holder is given as its fencing token is the version that it acquired.
  return { engine, rows: () => db.prepare(ROWS).all().map(Object) };
}
