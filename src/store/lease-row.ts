import { integer, oneOf, orNull, text } from '../domain/columns.ts';
import { isJsonObject, type JsonObject, parseJson } from '../domain/json.ts';
import { FINISH_WAYS, type Finish, KIND_NAMES, type Lease, type Work } from '../engine/lease.ts';

/** The columns of `leases`, in the order in which they are written. */
export const COLUMNS = [
  'namespace',
  'kind',
  'id',
  'handle',
  'fencing_token',
  'version',
  'ttl',
  'first_seen_at',
  'changed_at',
  'expires_at',
  'acquired_key',
  'acquired_hash',
  'acquired_at',
  'acquired_version',
  'acquired_ttl',
  'acquired_usage',
  'metadata',
  'work_pool',
  'work_workspace',
  'work_tags',
  'work_runners',
  'work_max_tries',
  'work_data',
  'cancel_requested',
  'finish_way',
  'finish_at',
  'finish_result',
  'finish_result_hash',
  'finish_error_code',
  'finish_error_hash',
] as const;

type Column = (typeof COLUMNS)[number];

const textOrNull = orNull(text);
const integerOrNull = orNull(integer);
export const kindName = oneOf(KIND_NAMES);
export const finishWay = oneOf(FINISH_WAYS);

/** @throws Error when the row is not one that `toRow` wrote */
export function fromRow(row: unknown): Lease {
  const columns = Object(row);
  return leaseOf((column) => columns[column]);
}

const PLACES = new Map<Column, number>(COLUMNS.map((column, index) => [column, index]));

/**
 * As {@link fromRow}.
 *
 * @param values those of {@link COLUMNS}, in their order
 */
export function fromValues(values: readonly unknown[]): Lease {
  return leaseOf((column) => values[PLACES.get(column) ?? -1]);
}

/** Each value is looked at by itself: a schema of all of them takes many times as long. */
function leaseOf(stored: (column: Column) => unknown): Lease {
  return {
    kind: kindName(stored('kind')),
    id: text(stored('id')),
    handle: text(stored('handle')),
    fencingToken: integer(stored('fencing_token')),
    version: integer(stored('version')),
    ttl: integer(stored('ttl')),
    firstSeenAt: integer(stored('first_seen_at')),
    changedAt: integer(stored('changed_at')),
    expiresAt: integer(stored('expires_at')),
    acquisition: {
      idempotencyKey: textOrNull(stored('acquired_key')),
      requestHash: textOrNull(stored('acquired_hash')),
      at: integer(stored('acquired_at')),
      version: integer(stored('acquired_version')),
      ttl: integer(stored('acquired_ttl')),
      usage: integer(stored('acquired_usage')),
    },
    metadata: objectOrNull(stored('metadata')),
    work: workOf(stored),
    isCancelRequested: integer(stored('cancel_requested')) === 1,
    finish: finishOf(stored),
  };
}

function workOf(stored: (column: Column) => unknown): Work | null {
  const data = objectOrNull(stored('work_data'));
  if (data === null) return null;
  return {
    pool: textOrNull(stored('work_pool')) ?? '',
    workspace: textOrNull(stored('work_workspace')),
    tags: toTexts(textOrNull(stored('work_tags'))),
    runners: toTexts(textOrNull(stored('work_runners'))),
    maxTries: integerOrNull(stored('work_max_tries')),
    data,
  };
}

function finishOf(stored: (column: Column) => unknown): Finish | null {
  const way = stored('finish_way');
  if (way === null) return null;
  return {
    way: finishWay(way),
    at: integer(stored('finish_at')),
    result: objectOrNull(stored('finish_result')),
    resultHash: textOrNull(stored('finish_result_hash')),
    errorCode: textOrNull(stored('finish_error_code')),
    errorHash: textOrNull(stored('finish_error_hash')),
  };
}

function objectOrNull(value: unknown): JsonObject | null {
  return toObject(textOrNull(value));
}

function toTexts(json: string | null): string[] {
  const value = parseJson(json ?? '[]');
  if (Array.isArray(value)) return value.map(text);
  throw new Error('a stored list is no JSON list');
}

export function toObject(json: string | null): JsonObject | null {
  const value = json === null ? null : parseJson(json);
  if (value === null || isJsonObject(value)) return value;
  throw new Error('a stored object is no JSON object');
}

/** The values of {@link COLUMNS}, in their order. */
export function toRow(namespace: string, lease: Lease): (string | number | null)[] {
  const { acquisition, work, finish } = lease;
  const json = (value: object | null | undefined) => (value ? JSON.stringify(value) : null);
  return [
    namespace,
    lease.kind,
    lease.id,
    lease.handle,
    lease.fencingToken,
    lease.version,
    lease.ttl,
    lease.firstSeenAt,
    lease.changedAt,
    lease.expiresAt,
    acquisition.idempotencyKey,
    acquisition.requestHash,
    acquisition.at,
    acquisition.version,
    acquisition.ttl,
    acquisition.usage,
    json(lease.metadata),
    work?.pool ?? null,
    work?.workspace ?? null,
    json(work?.tags),
    json(work?.runners),
    work?.maxTries ?? null,
    json(work?.data),
    lease.isCancelRequested ? 1 : 0,
    finish?.way ?? null,
    finish?.at ?? null,
    json(finish?.result),
    finish?.resultHash ?? null,
    finish?.errorCode ?? null,
    finish?.errorHash ?? null,
  ];
}
