import type * as z from 'zod/mini';
import type { Rejection } from '../../engine/command.ts';
import type { Engine } from '../../engine/engine.ts';
import { EVENT_TYPES, type Event, type EventFilter, type EventType } from '../../engine/history.ts';
import { KIND_NAMES, type Kind, type Lease } from '../../engine/lease.ts';
import type { LeaseFilter } from '../../engine/store.ts';
import { json, type Route, type RouteRequest } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { parseBody } from '../../http/validation.ts';
import { invalid, type ReasonName, refuse, refuseFor } from './errors.ts';
import { leaseDetails, leaseSummary } from './lease-info.ts';
import {
  BASE_PATH,
  BreakRequest,
  type EventInfo,
  HistoryQuery,
  IdQuery,
  LeaseQuery,
  type LeaseSummary,
  LeasesQuery,
  USUALLY_LISTED,
} from './wire.ts';

const GUARD = { scope: 'admin', refuse: refuseFor } as const;

/** What there is, and what happened to it. */
export function leaseRoutes(engine: Engine): Route[] {
  return [
    {
      ...GUARD,
      method: 'GET',
      path: `${BASE_PATH}/leases`,
      handle: withQuery(LeasesQuery, async ({ kind, state, prefix, after, limit }) =>
        list(engine, { kind, state, prefix, after: placeOf(after) }, limitOf(limit)),
      ),
    },
    {
      ...GUARD,
      method: 'GET',
      path: `${BASE_PATH}/lease`,
      handle: withQuery(LeaseQuery, ({ kind, id }) => show(engine, kind, id)),
    },
    {
      ...GUARD,
      method: 'POST',
      path: `${BASE_PATH}/lease/break`,
      handle: withQuery(LeaseQuery, async ({ kind, id }, request) => {
        const body = request.body === '' ? {} : parseBody(request);
        if (!fits(BreakRequest, body)) return invalid(BreakRequest, body);
        const { reason, fencing_token: fencingToken, version } = body;
        const detail = reason === undefined ? {} : { detail: { reason } };
        const command = { type: 'break', fencingToken, version, ...detail } as const;
        const { outcome, now } = await engine.change(kind, id, command, request.by);
        if (outcome.type === 'broken') return json(200, leaseSummary(outcome.lease, now));
        return rejected(outcome.type === 'rejected' ? outcome.reason : 'unknown', kind);
      }),
    },
    {
      ...GUARD,
      method: 'POST',
      path: `${BASE_PATH}/runner-jobs/cancel`,
      handle: withQuery(IdQuery, async ({ id }, { by }) => {
        const { outcome } = await engine.change('runner_job', id, { type: 'request_cancel' }, by);
        if (outcome.type === 'rejected') return rejected(outcome.reason, 'runner_job');
        const status = outcome.type === 'finished' ? 'CANCELED' : 'RUNNING';
        return json(200, { id, status, cancel_job: true });
      }),
    },
    {
      ...GUARD,
      method: 'GET',
      path: `${BASE_PATH}/history`,
      handle: withQuery(HistoryQuery, async ({ kind, id, type, before, since, limit }) => {
        const most = limitOf(limit);
        const filter = {
          ...{ kind, id, types: typesIn(type) },
          before: before === undefined ? undefined : Number(before),
          since: since === undefined ? undefined : Date.parse(since),
        };
        const found = await eventsOf(engine, filter, most + 1);
        const events = found.slice(0, most);
        const next = found.length > most ? (events.at(-1)?.sequence ?? null) : null;
        return json(200, { events: events.map(eventInfo), next });
      }),
    },
  ];
}

async function list(engine: Engine, filter: LeaseFilter, most: number): Promise<HttpAnswer> {
  const { leases: found, now } = await engine.leases(filter, most + 1);
  const leases = found.slice(0, most);
  const last = leases.at(-1);
  const told: LeaseSummary[] = [];
  for (const lease of leases) told.push(await withHolder(engine, leaseSummary(lease, now), lease));
  return json(200, {
    leases: told,
    next: found.length > most && last ? `${last.kind}:${last.id}` : null,
    now: new Date(now).toISOString(),
  });
}

/** Of one id whatever it is on: asked for by each kind, as they are found by both. */
async function eventsOf(
  engine: Engine,
  filter: EventFilter,
  most: number,
): Promise<readonly Event[]> {
  if (filter.id === undefined || filter.kind !== undefined) return engine.history(filter, most);
  const found: Event[] = [];
  for (const kind of KIND_NAMES) found.push(...(await engine.history({ ...filter, kind }, most)));
  return found.toSorted((one, other) => other.sequence - one.sequence).slice(0, most);
}

async function show(engine: Engine, kind: Kind, id: string): Promise<HttpAnswer> {
  const { lease, now } = await engine.look(kind, id);
  if (!lease) return rejected('unknown', kind);
  return json(200, await withHolder(engine, leaseDetails(lease, now), lease));
}

/** Who acquired what is held, where only the history tells it: of a key. */
async function withHolder<T extends LeaseSummary>(
  engine: Engine,
  told: T,
  { kind, id, fencingToken }: Lease,
): Promise<T> {
  if (told.holder !== null || told.state !== 'held') return told;
  const [acquired] = await engine.history({ kind, id, types: ['acquired'] }, 1);
  return acquired?.fencingToken === fencingToken ? { ...told, holder: acquired.caller } : told;
}

/** The place that an answer's `next` told. */
function placeOf(after: string | undefined): LeaseFilter['after'] {
  if (after === undefined) return undefined;
  const kind = KIND_NAMES.find((name) => after.startsWith(`${name}:`));
  return kind && { kind, id: after.slice(kind.length + 1) };
}

function limitOf(limit: string | undefined): number {
  return Number(limit ?? USUALLY_LISTED);
}

export function eventInfo({ fencingToken, requestId, at, ...event }: Event): EventInfo {
  const { sequence, kind, id, type, version, before, after, caller, detail } = event;
  return {
    ...{ sequence, kind, id, type, at: new Date(at).toISOString() },
    ...{ before, after, fencing_token: fencingToken, version },
    ...{ caller, request_id: requestId, detail },
  };
}

/** Types that a query names. */
export function typesIn(list: string | undefined): readonly EventType[] | undefined {
  return list === undefined
    ? undefined
    : EVENT_TYPES.filter((type) => list.split(',').includes(type));
}

const NAMES: Readonly<Record<Kind, string>> = { key: 'key', job: 'job', runner_job: 'runner job' };

const REASON_OF_REJECTION: Readonly<Partial<Record<Rejection, ReasonName>>> = {
  not_held: 'not_held',
  already_finished: 'already_finished',
  closed: 'given_up',
};

function rejected(rejection: Rejection, kind: Kind): HttpAnswer {
  const reason = REASON_OF_REJECTION[rejection];
  return reason ? refuse(reason) : refuse('not_found', `There is no such ${NAMES[kind]}.`);
}

function withQuery<T>(
  schema: z.ZodMiniType<T>,
  handle: (query: T, request: RouteRequest) => Promise<HttpAnswer>,
): Route['handle'] {
  return async (request) => {
    const parameters: unknown = Object.fromEntries(request.query);
    return fits(schema, parameters) ? handle(parameters, request) : invalid(schema, parameters);
  };
}
