import type { JsonObject } from '../domain/json.ts';
import type { Finish, Kind, Lease, Work } from './lease.ts';

/*
 * What can be asked of a lease, and what comes of it.
 */

export interface Add {
  readonly type: 'add';
  readonly kind: Kind;
  readonly id: string;
  /** What a lease on it lasts, in milliseconds. */
  readonly ttl: number;
  /** A fresh handle, to be told to nobody. */
  readonly handle: string;
  readonly work: Work;
}

export interface Acquire {
  readonly type: 'acquire';
  readonly kind: Kind;
  readonly id: string;
  /** Milliseconds; null for what the lease lasted before. */
  readonly ttl: number | null;
  /** The handle to give if the lease is acquired: fresh and unguessable. */
  readonly handle: string;
  readonly metadata: JsonObject | null;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
  /** The month's count if this acquisition is granted. */
  readonly usage: number;
}

/** What a holder shows. */
export interface Proof {
  readonly handle: string;
  /** If it is shown, it has to be the one in force. */
  readonly fencingToken?: number | undefined;
}

/** What a repetition is known by, instead of by its handle. */
export interface Idempotency {
  readonly key: string;
  /** Digest of the request that carries the key. */
  readonly requestHash: string;
}

interface Repeatable {
  /** The engine looks for it before it asks for a transition. */
  readonly idempotency?: Idempotency;
}

export interface Extend extends Proof {
  readonly type: 'extend';
  /** Milliseconds from now; null for the time to live that the lease was acquired with. */
  readonly ttl: number | null;
}

export interface FinishCommand extends Proof, Repeatable {
  readonly type: 'finish';
  readonly way: Finish['way'];
  readonly result: Finish['result'];
  readonly resultHash: Finish['resultHash'];
  readonly errorCode: Finish['errorCode'];
  readonly errorHash: Finish['errorHash'];
}

/** Gives work back, for somebody to try again. */
export interface Release extends Proof, Repeatable {
  readonly type: 'release';
  /** Why, for the history. */
  readonly detail?: JsonObject;
}

/** Asks whoever holds the work to stop; ends it if nobody does. */
export interface RequestCancel {
  readonly type: 'request_cancel';
}

/** Ends a lease that somebody holds, without its proof: for whoever runs the service. */
export interface Break {
  readonly type: 'break';
  /** If it is given, only this acquisition's. */
  readonly fencingToken?: number | undefined;
  /** If it is given, only as long as nothing was changed since: not even renewed. */
  readonly version?: number | undefined;
  /** Why, for the history. */
  readonly detail?: JsonObject;
}

/** What is done to a lease that exists. */
export type Change = Extend | FinishCommand | Release | RequestCancel | Break;
export type Command = Add | Acquire | Change;

export type Rejection =
  | 'unknown'
  | 'exists'
  | 'closed'
  | 'wrong_handle'
  | 'expired'
  | 'already_finished'
  | 'idempotency_conflict'
  | 'not_held'
  | 'storage_full'
  | 'limit_exceeded';

export type Outcome =
  | { readonly type: 'added'; readonly lease: Lease }
  /** The caller holds the lease; `replayed` when this repeats an earlier acquisition. */
  | { readonly type: 'acquired'; readonly lease: Lease; readonly replayed: boolean }
  /** Somebody else holds it. */
  | { readonly type: 'held'; readonly lease: Lease }
  | { readonly type: 'extended'; readonly lease: Lease }
  | { readonly type: 'released'; readonly lease: Lease }
  | { readonly type: 'cancel_requested'; readonly lease: Lease }
  | { readonly type: 'broken'; readonly lease: Lease }
  /** This idempotency key made its change before, when the fencing token was this. */
  | { readonly type: 'repeated'; readonly lease: Lease; readonly fencingToken: number }
  /** It is finished: by this command, by an earlier one like it, or before an acquisition came. */
  | { readonly type: 'finished'; readonly lease: Lease }
  | { readonly type: 'rejected'; readonly reason: Rejection };
