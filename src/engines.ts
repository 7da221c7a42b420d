import { type Access, createAccess } from './engine/access.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import type { Kind } from './engine/lease.ts';
import { DEFAULT_NAMESPACE, type Store } from './engine/store.ts';

/** Acquisitions that the embedded service grants in a month: a number nobody meets by hand. */
const MONTHLY_LIMIT = 1_000_000_000;

const HANDLE_PREFIXES: Readonly<Record<Kind, string>> = {
  key: 'lease',
  job: 'lock',
  runner_job: 'ack',
};

/** Loaded when it is needed: looking at a lease needs no randomness. */
function crypto() {
  return process.getBuiltinModule('node:crypto');
}

/** Random bytes of a handle. */
const HANDLE_SIZE = 16;
/** Handles whose bytes are asked for at once: to ask takes longer than to make them. */
const HANDLES_AHEAD = 256;

/** Random bytes that nobody has got yet. */
let ahead = Buffer.alloc(0);

/** A handle that nobody can guess. */
function newHandle(kind: Kind): string {
  if (ahead.length === 0) ahead = crypto().randomBytes(HANDLE_SIZE * HANDLES_AHEAD);
  const handle = ahead.toString('hex', 0, HANDLE_SIZE);
  ahead = ahead.subarray(HANDLE_SIZE);
  return `${HANDLE_PREFIXES[kind]}_${handle}`;
}

/** 256 random bits, as text. */
export function newSecret(): string {
  return crypto().randomBytes(32).toString('base64url');
}

/**
 * The embedded service's engine, on what a namespace has in its store.
 *
 * @param capacity leases that the namespace may store
 */
export function engineOn(store: Store, capacity?: number): Engine {
  const bounded = capacity === undefined ? {} : { capacity };
  return createEngine({ store, newHandle, monthlyLimit: MONTHLY_LIMIT, ...bounded });
}

/** Who may ask the embedded service in a namespace, where it is served. */
export function accessOn(store: Store, namespace = DEFAULT_NAMESPACE): Access {
  const hash = (secret: string) => crypto().createHash('sha256').update(secret).digest('hex');
  return createAccess({ store: store.within(namespace), namespace, newSecret, hash });
}
