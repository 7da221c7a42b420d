import { existsSync } from 'node:fs';
import Database from 'libsql';
import type { ExecHost } from './exec-host.ts';

/** Work of the embedded service that a command can be run for. */
export interface ExecWork {
  readonly id: string;
  /** The command of leasectl that runs another one for it, up to its flags. */
  readonly words: readonly string[];
}

export interface ExecService {
  readonly name: 'onceonly' | 'retaia' | 'askui';
  /** How it keeps that a command ended with 3, was killed, and was canceled by SIGINT. */
  readonly failed: string;
  readonly killed: string;
  readonly canceled: string | null;
  /** @param ttl seconds that a lease on it lasts */
  add(host: ExecHost, ttl?: number): Promise<ExecWork>;
}

export const SERVICES: readonly ExecService[] = [
  {
    name: 'onceonly',
    failed: 'fail exit:3',
    killed: 'fail signal:SIGKILL',
    canceled: 'cancel canceled:SIGINT',
    add: async (_, ttl = 60) => ({ id: 'k', words: ['exec', 'k', '--ttl', `${ttl}s`] }),
  },
  {
    name: 'retaia',
    failed: 'fail exit:3',
    killed: 'fail signal:SIGKILL',
    // It goes back to the others.
    canceled: null,
    add: async (host, ttl = 60) => {
      // A type of which no patch is asked for.
      const flags = ['--type', 'plain', '--ttl', `${ttl}s`];
      const [job] = Object(await host.json(['admin', 'jobs', 'add', ...flags]));
      return { id: job.job_id, words: ['jobs', 'exec', job.job_id] };
    },
  },
  {
    name: 'askui',
    failed: 'fail failed',
    killed: 'fail failed',
    canceled: 'cancel canceled',
    add: async (host, ttl = 60) => {
      const added = await host.json(['admin', 'runner-jobs', 'add', '--ttl', `${ttl}s`]);
      const [job] = Object(added);
      return { id: job.id, words: ['runner-jobs', 'exec', '--runner-id', 'r'] };
    },
  },
];

/** What the embedded service has stored of a key or job. */
export interface Stored {
  /** How it was finished, e.g. `fail exit:3`; null when it is not. */
  readonly ending: string | null;
  readonly result: unknown;
  /** Secret. */
  readonly handle: string;
  /** How often it was leased. */
  readonly leases: number;
  /** By the service's clock, in milliseconds since 1970. */
  readonly expiresAt: number;
  readonly version: number;
}

const COLUMNS = [
  'handle, version, fencing_token AS leases, expires_at AS expiresAt',
  'finish_way AS way, finish_error_code AS error, finish_result AS result',
].join(', ');

/** Undefined when nothing is known of it. */
export function stored({ databaseFile }: { databaseFile: string }, id: string): Stored | undefined {
  if (!existsSync(databaseFile)) return undefined;
  const db = new Database(databaseFile);
  const [row] = db.prepare(`SELECT ${COLUMNS} FROM leases WHERE id = ?`).all(id);
  db.close();
  if (row === undefined) return undefined;
  const { way, error, result, ...known } = Object(row);
  const ending = way === null ? null : [way, error].filter(Boolean).join(' ');
  return { ...known, ending, result: result === null ? null : JSON.parse(result) };
}
