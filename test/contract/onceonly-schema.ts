import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/*
 * The answers of OnceOnly's endpoints as its contract gives them, written independently of the zod
 * schemas that the product uses. Nothing beyond them may be sent: `additionalProperties` is false.
 */

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const integer = { type: 'integer' };
const integerOrNull = { type: ['integer', 'null'] };
const timeOrNull = { type: ['string', 'null'], format: 'date-time' };
const ok = { type: 'boolean' };

const object = (properties: object, required: readonly string[]) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required: [...required],
});

const known = {
  ok,
  key: text,
  ttl_left: integerOrNull,
  lease_id: textOrNull,
  version: integer,
  first_seen_at: timeOrNull,
  done_at: timeOrNull,
  result_hash: textOrNull,
  error_code: textOrNull,
  retry_after_sec: integerOrNull,
};
const required = ['ok', 'status', 'key'];

const leaseStatus = { enum: ['acquired', 'polling', 'in_progress', 'completed', 'failed'] };
const workStatus = { enum: ['in_progress', 'completed', 'failed'] };

const lease = object(
  {
    ...known,
    status: leaseStatus,
    ttl: integerOrNull,
    usage: integer,
    limit: integer,
    charged: { enum: [0, 1] },
  },
  required,
);
const finished = object(
  { ok, status: { enum: ['completed', 'failed'] }, key: text, version: integer },
  [...required, 'version'],
);

const SUCCESS: Readonly<Record<string, object>> = {
  '/v1/ai/lease': lease,
  '/v1/ai/run': lease,
  '/v1/ai/status': object({ ...known, status: workStatus }, required),
  '/v1/ai/extend': object(
    { ok, status: { const: 'extended' }, key: text, ttl: integer, version: integer },
    [...required, 'ttl', 'version'],
  ),
  '/v1/ai/complete': finished,
  '/v1/ai/cancel': finished,
  '/v1/ai/fail': finished,
  '/v1/ai/result': object(
    {
      ok,
      status: workStatus,
      key: text,
      result: { type: ['object', 'null'] },
      result_hash: textOrNull,
      error_code: textOrNull,
      done_at: timeOrNull,
    },
    required,
  ),
};

const refused = object({ detail: object({ error: text, message: text }, ['error', 'message']) }, [
  'detail',
]);
const invalid = object(
  {
    detail: {
      type: 'array',
      minItems: 1,
      items: object(
        { loc: { type: 'array', items: { type: ['string', 'integer'] } }, msg: text, type: text },
        ['loc', 'msg', 'type'],
      ),
    },
  },
  ['detail'],
);

/** What each endpoint may refuse with; 409 on an acquisition is the addition for repetitions. */
const acquisition = { 402: refused, 403: refused, 409: refused, 422: invalid };
const reading = { 404: refused, 422: invalid };
const holding = { 404: refused, 409: refused, 422: invalid };
const REFUSALS: Readonly<Record<string, Readonly<Record<number, object>>>> = {
  '/v1/ai/lease': acquisition,
  '/v1/ai/run': acquisition,
  '/v1/ai/status': reading,
  '/v1/ai/result': reading,
  '/v1/ai/extend': holding,
  '/v1/ai/complete': holding,
  '/v1/ai/cancel': holding,
  '/v1/ai/fail': holding,
};

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);

/** Every way in which an answer departs from the contract; none when it keeps it. */
export function departures(path: string, status: number, body: unknown): string[] {
  const schema = status === 200 ? SUCCESS[path] : REFUSALS[path]?.[status];
  if (!schema) return [`${path} may not answer ${status}`];
  const validate = ajv.compile(schema);
  validate(body);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
