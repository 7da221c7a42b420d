import type { Clock } from './domain/clock.ts';
import type { Access } from './engine/access.ts';
import type { Engine } from './engine/engine.ts';
import type { Feed } from './engine/feed.ts';
import type { Kind } from './engine/lease.ts';
import { newSecret } from './engines.ts';
import type { Route } from './http/route.ts';
import { accessRoutes } from './services/admin/access-routes.ts';
import { addRoute, type NewIds } from './services/admin/add-route.ts';
import { eventRoute } from './services/admin/event-routes.ts';
import { leaseRoutes } from './services/admin/lease-routes.ts';
import { queueRoute } from './services/admin/queue-route.ts';
import { MOST_ADDED } from './services/admin/wire.ts';
import * as runnerJobs from './services/askui/new-job.ts';
import * as jobs from './services/retaia/new-job.ts';
import { ANYBODY, needsOf, waitingJob } from './services/retaia/routes.ts';

export interface Administered {
  readonly engine: Engine;
  readonly access: Access;
  /** Tells what happens. */
  readonly feed: Feed;
  /** Jobs that one request may add. Default: as many as a command may. */
  readonly mostAdded?: number;
}

/**
 * The administration of one namespace: its leases and who may ask for them, and the work of all
 * dialects that have some to be added.
 */
export function adminRoutes(administered: Administered, now: Clock): Route[] {
  const { engine, access, feed, mostAdded: most = MOST_ADDED } = administered;
  const adding = { engine, newIds: idsBy(now), most };
  return [
    addRoute(adding, {
      path: '/jobs',
      kind: 'job',
      schema: jobs.NewJob,
      workOf: (job) => jobs.workOf(job, () => crypto.randomUUID()),
      shown: waitingJob,
    }),
    addRoute(adding, {
      path: '/runner-jobs',
      kind: 'runner_job',
      schema: runnerJobs.NewRunnerJob,
      workOf: (job) => runnerJobs.workOf(job, newSecret),
      shown: runnerJobs.summaryOf,
    }),
    ...leaseRoutes(engine),
    eventRoute(feed),
    queueRoute(engine, { kind: 'job', needsOf, anybody: ANYBODY }),
    ...accessRoutes(access),
  ];
}

const ID_PREFIXES: Readonly<Record<Kind, string>> = { key: 'key', job: 'job', runner_job: 'rjob' };

/** Random, short, and sorted in the order of their making. */
export function idsBy(now: Clock): NewIds {
  return (kind, count) => {
    const time = now().toString(36).padStart(9, '0');
    const { randomBytes } = process.getBuiltinModule('node:crypto');
    const random = randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0');
    // The last digits tell those apart that are made together.
    const digits = (count - 1).toString(36).length;
    return (index) =>
      `${ID_PREFIXES[kind]}_${time}${random}${index.toString(36).padStart(digits, '0')}`;
  };
}
