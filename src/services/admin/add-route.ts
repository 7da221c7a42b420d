import type * as z from 'zod/mini';
import { Failure } from '../../domain/failure.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Kind, Lease, Work } from '../../engine/lease.ts';
import { json, type Route } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import { parseBody } from '../../http/validation.ts';
import { invalid, refuse, refuseFor } from './errors.ts';
import { type AddRequest, addRequest, BASE_PATH } from './wire.ts';

/** A kind of work that can be added, in the words of the dialect whose it is. */
export interface Addable<T> {
  /** Below the base path, e.g. `/jobs`. */
  readonly path: string;
  readonly kind: Kind;
  readonly schema: z.ZodMiniType<T>;
  readonly workOf: (job: T) => Work;
  /** What is told of one that was added: no secrets. */
  readonly shown: (lease: Lease) => object;
}

/** Makes so many ids, by index: unguessable, and sorted in the order of their making. */
export type NewIds = (kind: Kind, count: number) => (index: number) => string;

export interface Adding {
  readonly engine: Engine;
  readonly newIds: NewIds;
  /** Jobs that one request may add: while it does others may have to wait. */
  readonly most: number;
}

/** Adds all that a request has, or nothing. */
export function addRoute<T>({ engine, newIds, most }: Adding, addable: Addable<T>): Route {
  const { path, schema, shown } = addable;
  const request = addRequest(schema);
  return {
    method: 'POST',
    path: BASE_PATH + path,
    scope: 'admin',
    refuse: refuseFor,
    handle: async (given) => {
      const body = parseBody(given);
      if (!fits<AddRequest<T>>(request, body)) return invalid(request, body);
      const { count = 1, jobs } = body;
      if (count * jobs.length > most) return refuse('too_many', `${most} are added at most.`);
      try {
        return json(
          201,
          (await engine.add(requestsOf(body, newIds, addable), given.by)).map(shown),
        );
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'limit_exceeded') throw error;
        return refuse('storage_full', error.message);
      }
    },
  };
}

function requestsOf<T>(
  { ttl, count = 1, jobs }: AddRequest<T>,
  newIds: NewIds,
  { kind, workOf }: Addable<T>,
) {
  const newId = newIds(kind, count * jobs.length);
  const all = jobs.flatMap((job) => Array.from({ length: count }, () => job));
  return all.map((job, index) => ({
    kind,
    id: newId(index),
    ttl: ttl * 1000,
    work: workOf(job),
  }));
}
