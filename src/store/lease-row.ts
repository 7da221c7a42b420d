import { integer, oneOf, orNull, rowOf, text } from '../domain/columns.ts';
import { isJsonObject, type JsonObject, parseJson } from '../domain/json.ts';
import { FINISH_WAYS, KIND_NAMES, type Lease, type Work } from '../engine/lease.ts';

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

const textOrNull = orNull(text);
const integerOrNull = orNull(integer);

export const kindName = oneOf(KIND_NAMES);
export const finishWay = oneOf(FINISH_WAYS);

const toColumns = rowOf({
  kind: kindName,
  id: text,
  handle: text,
  fencing_token: integer,
  version: integer,
  ttl: integer,
  first_seen_at: integer,
  changed_at: integer,
  expires_at: integer,
  acquired_key: textOrNull,
  acquired_hash: textOrNull,
  acquired_at: integer,
  acquired_version: integer,
  acquired_ttl: integer,
  acquired_usage: integer,
  metadata: textOrNull,
  work_pool: textOrNull,
  work_workspace: textOrNull,
  work_tags: textOrNull,
  work_runners: textOrNull,
  work_max_tries: integerOrNull,
  work_data: textOrNull,
  cancel_requested: integer,
  finish_way: orNull(finishWay),
  finish_at: integerOrNull,
  finish_result: textOrNull,
  finish_result_hash: textOrNull,
  finish_error_code: textOrNull,
  finish_error_hash: textOrNull,
});

/** @throws Error when the row is not one that `toRow` wrote */
export function fromRow(value: unknown): Lease {
  const row = toColumns(value);
  return {
    kind: row.kind,
    id: row.id,
    handle: row.handle,
    fencingToken: row.fencing_token,
    version: row.version,
    ttl: row.ttl,
    firstSeenAt: row.first_seen_at,
    changedAt: row.changed_at,
    expiresAt: row.expires_at,
    acquisition: {
      idempotencyKey: row.acquired_key,
      requestHash: row.acquired_hash,
      at: row.acquired_at,
      version: row.acquired_version,
      ttl: row.acquired_ttl,
      usage: row.acquired_usage,
    },
    metadata: toObject(row.metadata),
    work: toWork(row),
    isCancelRequested: row.cancel_requested === 1,
    finish:
      row.finish_way === null || row.finish_at === null
        ? null
        : {
            way: row.finish_way,
            at: row.finish_at,
            result: toObject(row.finish_result),
            resultHash: row.finish_result_hash,
            errorCode: row.finish_error_code,
            errorHash: row.finish_error_hash,
          },
  };
}

/** @param values those of {@link COLUMNS}, in their order */
export function fromValues(values: readonly unknown[]): Lease {
  const row: Record<string, unknown> = {};
  for (const [index, column] of COLUMNS.entries()) row[column] = values[index];
  return fromRow(row);
}

function toWork(row: ReturnType<typeof toColumns>): Work | null {
  const data = toObject(row.work_data);
  if (data === null) return null;
  return {
    pool: row.work_pool ?? '',
    workspace: row.work_workspace,
    tags: toTexts(row.work_tags),
    runners: toTexts(row.work_runners),
    maxTries: row.work_max_tries,
    data,
  };
}

function toTexts(json: string | null): string[] {
  const value = parseJson(json ?? '[]');
  if (Array.isArray(value)) return value.map(text);
  throw new Error('a stored list is no JSON list');
}

/** Parsed here, not by the schema: zod's copy of an object would lack a field named `__proto__`. */
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
