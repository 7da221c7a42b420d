import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';
import { Failure } from '../domain/failure.ts';
import type { Rejection } from '../engine/command.ts';
import type { AcquireDecision, Decision, Engine } from '../engine/engine.ts';
import { KIND_NAMES, KINDS, type Kind } from '../engine/lease.ts';
import type { Census } from '../engine/store.ts';

/** A request that was answered. */
export interface AnsweredRequest {
  /** Undefined where nobody knows who asked. */
  readonly namespace: string | undefined;
  readonly method: string;
  /** As the routes name it; undefined for a path that is none. */
  readonly route: string | undefined;
  /** As a word where there was no answer. */
  readonly status: string;
  readonly milliseconds: number;
}

/** What is counted and measured of a service, for Prometheus. */
export interface Metrics {
  /** The same engine, whose outcomes are counted for a namespace. */
  observed(engine: Engine, namespace: string): Engine;
  /** Counts leases that their holders let run out, by namespace. */
  ranOut(counts: ReadonlyMap<string, number>): void;
  answered(request: AnsweredRequest): void;
  /**
   * Everything, in Prometheus' format, that a namespace may know: nothing of any other.
   *
   * @param census what the namespace has now
   * @param streams how many listen at this node to what happens in it
   */
  text(
    namespace: string,
    census: () => Promise<readonly Census[]>,
    streams: number,
  ): Promise<string>;
  /** Of the text. */
  readonly contentType: string;
}

/** Why an acquisition, or a change, is not made for somebody else's sake. */
const CONFLICTS = ['held', 'finished', 'already_finished', 'idempotency_conflict'] as const;
/** Why a holder is told that it is none, or no longer. */
const LOSSES = ['wrong_handle', 'expired', 'unknown'] as const;
/** What bounds acquisitions. */
const LIMITS = ['limit_exceeded', 'storage_full'] as const;

/** Seconds: from what a lease on a file takes to what clients wait for. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Stands for those who are not known, whose requests concern every namespace. */
const NOBODY = '';

export function createMetrics(): Metrics {
  const own = new Registry();
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  const counters = createCounters(own);
  const gauges = createGauges(own);
  const duration = new Histogram({
    name: 'leasectl_request_duration_seconds',
    help: 'Requests and how long they took, by method, endpoint and status.',
    labelNames: ['namespace', 'method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [own],
  });
  return {
    observed: (engine, namespace) => observe(engine, namespace, counters),
    ranOut(counts) {
      for (const [namespace, count] of counts) counters.expiries.inc({ namespace }, count);
    },
    answered({ namespace = NOBODY, method, route = 'none', status, milliseconds }) {
      duration.observe({ namespace, method, route, status }, milliseconds / 1000);
    },
    async text(namespace, census, streams) {
      gauges.streams.set({ namespace }, streams);
      await measure(gauges, namespace, census);
      return `${await process.metrics()}${await visibleText(own, namespace)}`;
    },
    contentType: own.contentType,
  };
}

function createCounters(register: Registry) {
  const counter = <T extends string>(name: string, help: string, ...labels: T[]) =>
    new Counter({
      name: `leasectl_${name}_total`,
      help,
      labelNames: ['namespace', ...labels] as const,
      registers: [register],
    });
  return {
    acquisitions: counter('acquisitions', 'Leases that were acquired.', 'kind'),
    conflicts: counter(
      'conflicts',
      'Requests refused for what somebody else, or an earlier request, did.',
      'kind',
      'reason',
    ),
    lost: counter(
      'lost_handles',
      'Requests of holders that hold the lease no longer, or never did.',
      'kind',
      'reason',
    ),
    limited: counter('limited', 'Acquisitions refused by a limit.', 'kind', 'reason'),
    expiries: counter('expiries', 'Leases that their holders let run out, as this node found.'),
  };
}
type Counters = ReturnType<typeof createCounters>;

function createGauges(register: Registry) {
  const gauge = <T extends string>(name: string, help: string, ...labels: T[]) =>
    new Gauge({
      name: `leasectl_${name}`,
      help,
      labelNames: ['namespace', ...labels] as const,
      registers: [register],
    });
  return {
    held: gauge('leases_held', 'Leases that are held now.', 'kind'),
    depth: gauge('queue_depth', 'Added work that could be acquired now.', 'kind'),
    streams: gauge('event_streams', 'Who listens to /admin/v1/events of this node now.'),
    isUp: gauge('database_up', 'Whether the database answered just now: 1 or 0.'),
  };
}
type Gauges = ReturnType<typeof createGauges>;

async function measure(
  { held, depth, isUp }: Gauges,
  namespace: string,
  census: () => Promise<readonly Census[]>,
): Promise<void> {
  const counted = await ifAvailable(census);
  isUp.set({ namespace }, counted ? 1 : 0);
  for (const kind of KIND_NAMES) {
    const labels = { namespace, kind };
    const of = counted?.find((line) => line.kind === kind);
    // What is not known is not told: the last value would look like the present one.
    if (!counted) held.remove(labels);
    else held.set(labels, of?.held ?? 0);
    if (!KINDS[kind].isAdded) continue;
    if (!counted) depth.remove(labels);
    else depth.set(labels, of?.claimable ?? 0);
  }
}

async function ifAvailable<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Failure && error.code === 'unavailable') return undefined;
    throw error;
  }
}

async function visibleText(registry: Registry, namespace: string): Promise<string> {
  const metrics = await registry.getMetricsAsJSON();
  const visible = metrics.map((metric) => ({
    ...metric,
    values: metric.values.filter(({ labels }) =>
      [namespace, NOBODY].includes(String(labels['namespace'])),
    ),
  }));
  return AggregatorRegistry.aggregate([visible]).metrics();
}

function observe(engine: Engine, namespace: string, counters: Counters): Engine {
  announce(namespace, counters);
  const acquired = <T extends AcquireDecision | undefined>(kind: Kind, decision: T): T => {
    if (decision) countAcquisition(decision, { namespace, kind }, counters);
    return decision;
  };
  const changed = (kind: Kind, decision: Decision): Decision => {
    const { outcome } = decision;
    if (outcome.type === 'rejected') {
      countRejection(outcome.reason, { namespace, kind }, counters);
      const loss = LOSSES.find((reason) => reason === outcome.reason);
      if (loss) counters.lost.inc({ namespace, kind, reason: loss });
    }
    return decision;
  };
  return {
    ...engine,
    acquire: async (request, by) => acquired(request.kind, await engine.acquire(request, by)),
    acquireNext: async (request, by) =>
      acquired(request.kind, await engine.acquireNext(request, by)),
    change: async (kind, id, command, by) => {
      const decision = await engine.change(kind, id, command, by);
      // Who shows no handle cannot have lost it.
      return 'handle' in command ? changed(kind, decision) : decision;
    },
    changeHeld: async (kind, command, by) =>
      changed(kind, await engine.changeHeld(kind, command, by)),
  };
}

function countAcquisition(
  { outcome, foundExpired }: AcquireDecision,
  labels: { readonly namespace: string; readonly kind: Kind },
  counters: Counters,
): void {
  if (foundExpired) counters.expiries.inc({ namespace: labels.namespace });
  switch (outcome.type) {
    case 'acquired':
      if (!outcome.replayed) counters.acquisitions.inc(labels);
      break;
    case 'held':
    case 'finished':
      counters.conflicts.inc({ ...labels, reason: outcome.type });
      break;
    case 'rejected':
      countRejection(outcome.reason, labels, counters);
  }
}

function countRejection(
  reason: Rejection,
  labels: { readonly namespace: string; readonly kind: Kind },
  { conflicts, limited }: Counters,
): void {
  const conflict = CONFLICTS.find((known) => known === reason);
  if (conflict) conflicts.inc({ ...labels, reason: conflict });
  const limit = LIMITS.find((known) => known === reason);
  if (limit) limited.inc({ ...labels, reason: limit });
}

/** Lets every counter begin at zero: from nothing to one is no growth to Prometheus. */
function announce(
  namespace: string,
  { acquisitions, conflicts, lost, limited, expiries }: Counters,
): void {
  expiries.inc({ namespace }, 0);
  for (const kind of KIND_NAMES) {
    acquisitions.inc({ namespace, kind }, 0);
    for (const reason of CONFLICTS) conflicts.inc({ namespace, kind, reason }, 0);
    for (const reason of LOSSES) lost.inc({ namespace, kind, reason }, 0);
    for (const reason of LIMITS) limited.inc({ namespace, kind, reason }, 0);
  }
}
