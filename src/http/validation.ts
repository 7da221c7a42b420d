import * as z from 'zod/mini';
import { isTooDeep } from '../domain/json.ts';
import { json, type RouteRequest } from './route.ts';
import type { HttpAnswer } from './transport.ts';

/*
 * How services made with FastAPI refuse a request that breaks their contract: 422, with a list of
 * what is wrong where.
 */

/** As a client accepts it. */
export const ValidationDetail = z.array(
  z.looseObject({
    loc: z.optional(z.array(z.union([z.string(), z.number()]))),
    msg: z.optional(z.string()),
  }),
);

/** The list in one line, for messages. */
export function validationWords(detail: z.infer<typeof ValidationDetail>): string {
  return detail.map(({ loc, msg }) => [loc?.join('.'), msg].filter(Boolean).join(': ')).join('; ');
}

/** What every number has that is beyond a double: a large exponent, or very many digits. */
const MAYBE_BEYOND = /\d[eE]\+?\d{3}|\d{200}/;

function finite(_: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError();
  return value;
}

/**
 * Undefined, which no schema accepts, for a body that is no JSON, is nested too deeply, or has
 * numbers beyond a double.
 */
export function parseBody({ body }: Pick<RouteRequest, 'body'>): unknown {
  if (isTooDeep(body)) return undefined;
  try {
    // To be asked about each value takes longer than all the rest.
    return MAYBE_BEYOND.test(body) ? JSON.parse(body, finite) : JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The answer to a request in which the value at `where` does not fit the schema. */
export async function invalid(
  where: 'body' | 'query',
  schema: z.ZodMiniType,
  value: unknown,
): Promise<HttpAnswer> {
  const { explainIssues } = await import('./issues.ts');
  const detail =
    value === undefined
      ? [{ loc: [where], msg: 'The body is no JSON', type: 'json_invalid' }]
      : explainIssues(schema, value).map(({ path, message, type }) => ({
          loc: [where, ...path],
          msg: message,
          type,
        }));
  return json(422, { detail });
}
