import * as z from 'zod/mini';
import { TTL_RANGE } from '../../domain/duration.ts';
import { SCOPES } from '../../engine/access.ts';
import { EVENT_TYPES } from '../../engine/history.ts';
import { KIND_NAMES } from '../../engine/lease.ts';

/*
 * leasectl's own administration, as `/admin/v1/*` carries it. Requests are what the service demands;
 * of answers the client accepts those of later services, too. No answer has a handle in it.
 */

/** Where the paths begin. */
export const BASE_PATH = '/admin/v1';

const text = z.string();
const optionalText = z.nullish(text);
const whole = z.int().check(z.minimum(0));
const Present = text.check(z.minLength(1));
/** What is told once: none is longer than what can be looked for in all that is shown. */
const Secret = Present.check(z.maxLength(1_000));
const AnyObject = z.record(z.string(), z.unknown());
/** Of a lease, or the beginning of one. */
const Id = text.check(z.regex(/^\P{Cc}{1,512}$/u));

export const STATES = ['held', 'waiting', 'expired', 'completed', 'failed'] as const;
export type State = (typeof STATES)[number];
const KindName = z.enum(KIND_NAMES);

/** Of a token or a client. */
const Name = text.check(z.regex(/^[\x21-\x7e]{1,64}$/));
/** Some of them, separated by spaces. */
const ScopeList = text.check(
  z.regex(new RegExp(`^(${SCOPES.join('|')})( (${SCOPES.join('|')}))*$`)),
);

/** Things that one request adds, or one answer lists, at most. */
export const MOST_ADDED = 100_000;
export const MOST_LISTED = 1_000;
/** Things that one answer lists, unless it is asked for otherwise. */
export const USUALLY_LISTED = 100;
/** Seconds that a token may live, if it is not to live for ever: ten years. */
export const LONGEST_LIFETIME = 10 * 365 * 86_400;

const Limit = text.check(z.regex(/^([1-9]\d{0,2}|1000)$/, 'Limit should be 1 to 1000'));

/** Work to be added: each of the jobs, `count` times. */
export const addRequest = <T>(job: z.ZodMiniType<T>) =>
  z.strictObject({
    /** What a lease on them lasts, in seconds. */
    ttl: z.int().check(z.minimum(TTL_RANGE.min), z.maximum(TTL_RANGE.max)),
    count: z.optional(z.int().check(z.minimum(1), z.maximum(MOST_ADDED))),
    jobs: z.array(job).check(z.minLength(1), z.maxLength(MOST_ADDED)),
  });
export interface AddRequest<T> {
  readonly ttl: number;
  readonly count?: number | undefined;
  readonly jobs: readonly T[];
}

export const AddedJobs = z.array(
  z.looseObject({
    job_id: text,
    job_type: optionalText,
    status: optionalText,
    asset_uuid: optionalText,
    required_capabilities: z.nullish(z.array(text)),
  }),
);
export type AddedJobs = z.infer<typeof AddedJobs>;

export const AddedRunnerJobs = z.array(
  z.looseObject({
    id: text,
    status: optionalText,
    host: optionalText,
    workspace_id: optionalText,
    tags: z.nullish(z.array(text)),
    runners: z.nullish(z.array(text)),
    tries: z.nullish(whole),
    max_tries: z.nullish(whole),
  }),
);
export type AddedRunnerJobs = z.infer<typeof AddedRunnerJobs>;

export const IdQuery = z.object({ id: Id });

export const CanceledJob = z.looseObject({ id: text, status: text, cancel_job: z.boolean() });
export type CanceledJob = z.infer<typeof CanceledJob>;

export const NewToken = z.strictObject({
  name: Name,
  scope: ScopeList,
  /** Seconds; without it for ever. */
  expires_in: z.optional(z.int().check(z.minimum(1), z.maximum(LONGEST_LIFETIME))),
});
export type NewToken = z.infer<typeof NewToken>;

export const NewClient = z.strictObject({ name: Name, scope: ScopeList });
export type NewClient = z.infer<typeof NewClient>;

export const NameQuery = z.object({ name: Name });

const tokenFields = {
  name: text,
  namespace: text,
  scope: text,
  created_at: text,
  expires_at: z.nullable(text),
  last_used_at: z.nullable(text),
  revoked_at: z.nullable(text),
};
export const TokenInfo = z.looseObject(tokenFields);
export type TokenInfo = z.infer<typeof TokenInfo>;
export const TokenList = z.array(TokenInfo);
export type TokenList = z.infer<typeof TokenList>;
/** The only time that a token is told. */
export const AddedToken = z.looseObject({ token: Secret, ...tokenFields });
export type AddedToken = z.infer<typeof AddedToken>;

const clientFields = { client_id: text, name: text, scope: text };
export const ClientInfo = z.looseObject(clientFields);
export type ClientInfo = z.infer<typeof ClientInfo>;
export const ClientList = z.array(ClientInfo);
export type ClientList = z.infer<typeof ClientList>;
/** The only time that a secret is told. */
export const AddedClient = z.looseObject({
  client_id: text,
  client_secret: Secret,
  name: text,
  scope: text,
});
export type AddedClient = z.infer<typeof AddedClient>;

export const RemovedClient = z.looseObject({ name: text, removed: z.boolean() });
export type RemovedClient = z.infer<typeof RemovedClient>;

export const LeasesQuery = z.object({
  kind: z.optional(KindName),
  state: z.optional(z.enum(STATES)),
  /** What ids begin with. */
  prefix: z.optional(Id),
  /** The `next` of an answer. */
  after: z.optional(
    text.check(z.regex(new RegExp(`^(${KIND_NAMES.join('|')}):\\P{Cc}{1,512}$`, 'u'))),
  ),
  limit: z.optional(Limit),
});
export type LeasesQuery = z.infer<typeof LeasesQuery>;

export const LeaseQuery = z.object({ kind: KindName, id: Id });
export type LeaseQuery = z.infer<typeof LeaseQuery>;

const leaseFields = {
  kind: text,
  id: text,
  state: text,
  /** Who has, or last had it, as far as that is known. */
  holder: z.nullable(text),
  fencing_token: whole,
  version: whole,
  first_seen_at: text,
  acquired_at: z.nullish(text),
  /** Seconds that the last renewal gave, or the acquisition. */
  ttl: z.nullish(z.number()),
  changed_at: text,
  /** When it ends, or ended by itself; null for what waits or is finished. */
  expires_at: z.nullable(text),
  finished_at: z.nullable(text),
  error_code: z.nullable(text),
  /** Whether a holder is to stop, and nobody to begin. */
  cancel_requested: z.boolean(),
  /** Whether nobody may acquire it any more, once its holder has lost it. */
  closed: z.boolean(),
  /** Where it was taken, as whoever did said. */
  origin: z.nullish(AnyObject),
};
export const LeaseSummary = z.looseObject(leaseFields);
export type LeaseSummary = z.infer<typeof LeaseSummary>;

export const LeaseList = z.looseObject({
  leases: z.array(LeaseSummary),
  /** What to give as `after` for those that follow; null where there are none. */
  next: z.nullable(text),
  /** By the clock that decides. */
  now: text,
});
export type LeaseList = z.infer<typeof LeaseList>;

const WorkInfo = z.looseObject({
  pool: text,
  workspace: z.nullable(text),
  tags: z.array(text),
  runners: z.array(text),
  max_tries: z.nullable(whole),
  /** What it is, in the words of its dialect, without credentials. */
  data: AnyObject,
});

export const LeaseDetails = z.looseObject({
  ...leaseFields,
  result_hash: z.nullable(text),
  metadata: z.nullable(AnyObject),
  /** Null for what was never added. */
  work: z.nullable(WorkInfo),
  now: text,
});
export type LeaseDetails = z.infer<typeof LeaseDetails>;

export const BreakRequest = z.strictObject({
  /** For the history. */
  reason: z.optional(text.check(z.minLength(1), z.maxLength(500))),
  /** Only if this acquisition is the one in force. */
  fencing_token: z.optional(z.int().check(z.minimum(1))),
  /** Only if nothing was changed since. */
  version: z.optional(z.int().check(z.minimum(1))),
});
export type BreakRequest = z.infer<typeof BreakRequest>;

const TypeList = text.check(
  z.regex(new RegExp(`^(${EVENT_TYPES.join('|')})(,(${EVENT_TYPES.join('|')}))*$`)),
);
/** RFC 3339. */
const Moment = text.check(
  z.refine((value) => /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)), {
    error: 'Expected a time, such as 2025-01-15T10:30:00Z',
  }),
);

export const HistoryQuery = z.object({
  kind: z.optional(KindName),
  id: z.optional(Id),
  /** Of any of these types, separated by commas. */
  type: z.optional(TypeList),
  /** Only what happened then or later. */
  since: z.optional(Moment),
  /** The `next` of an answer. */
  before: z.optional(text.check(z.regex(/^[1-9]\d{0,14}$/))),
  limit: z.optional(Limit),
});
export type HistoryQuery = z.infer<typeof HistoryQuery>;

/** What is to be told as it happens. */
export const EventsQuery = z.object({
  kind: z.optional(KindName),
  id: z.optional(Id),
  /** Of any of these types, separated by commas. */
  type: z.optional(TypeList),
});
export type EventsQuery = z.infer<typeof EventsQuery>;

/** The type of what tells no event, but a place to go on from. */
export const POSITION = 'position';

export const EventInfo = z.looseObject({
  sequence: whole,
  kind: text,
  id: text,
  type: text,
  at: text,
  /** What the lease was; null where there was none, or where that was not noted. */
  before: z.nullish(text),
  after: z.nullish(text),
  fencing_token: whole,
  version: whole,
  caller: z.nullable(text),
  /** By which the service's log knows it. */
  request_id: z.nullish(text),
  detail: z.nullable(AnyObject),
});
export type EventInfo = z.infer<typeof EventInfo>;

/** The latest first. */
export const History = z.looseObject({
  events: z.array(EventInfo),
  /** What to give as `before` for those that came before; null where there are none. */
  next: z.nullable(whole),
});
export type History = z.infer<typeof History>;

export const ErrorBody = z.looseObject({
  error: z.looseObject({ code: text, message: optionalText }),
});
