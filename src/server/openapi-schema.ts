import * as z from 'zod/mini';
import { isJsonObject, type JsonObject } from '../domain/json.ts';
import type { Named } from '../http/operation.ts';

/*
 * Schemas of wire formats as JSON Schemas. Those of requests say what the service demands. Those of
 * answers say what a client accepts from any service; this one always sends all of it.
 */

export function requestSchema(schema: z.ZodMiniType): JsonObject {
  return toJson(schema, 'input');
}

export function answerSchema({ schema, sometimes = [] }: Named): JsonObject {
  const told = sent(toJson(schema, 'output'), new Set(sometimes));
  if (!isJsonObject(told)) throw new Error('a schema that is no object');
  return told;
}

function toJson(schema: z.ZodMiniType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, override: tidy });
  const plain: unknown = JSON.parse(JSON.stringify(json));
  if (!isJsonObject(plain)) throw new Error('a schema that is no object');
  return plain;
}

/** Leaves out what goes without saying. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format === 'uuid') delete jsonSchema.pattern;
  delete jsonSchema.propertyNames;
}

/** Fields with these names, and those whose names end in `_at`, are RFC 3339. */
const TIMES: ReadonlySet<string> = new Set(['at', 'now', 'locked_until', 'visible']);

/** The schema of what is always sent whole. */
function sent(schema: unknown, sometimes: ReadonlySet<string>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => sent(part, sometimes));
  if (!isJsonObject(schema)) return schema;
  const { properties, ...rest } = schema;
  const told = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, sent(value, sometimes)]),
  );
  if (!isJsonObject(properties)) return told;
  const fields = Object.entries(properties).map(
    ([name, value]) => [name, isTime(name) ? timeLike(value) : sent(value, sometimes)] as const,
  );
  const required = fields.map(([name]) => name).filter((name) => !sometimes.has(name));
  return { ...told, properties: Object.fromEntries(fields), required };
}

function isTime(name: string): boolean {
  return TIMES.has(name) || name.endsWith('_at');
}

/** A time, or null where the field may be that. */
function timeLike(schema: unknown): JsonObject {
  const mayBeNull = JSON.stringify(schema).includes('"null"');
  return { type: mayBeNull ? ['string', 'null'] : 'string', format: 'date-time' };
}
