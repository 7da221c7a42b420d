import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/*
 * The answers of Retaia's jobs endpoints as its contract gives them, written independently of the
 * zod schemas that the product uses. Nothing beyond them may be sent: `additionalProperties` is
 * false.
 */

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const time = { type: 'string', format: 'date-time' };
const fencing = { type: 'integer', minimum: 1 };
const nothing = { type: 'null' };

const object = (properties: object, required: readonly string[]) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required: [...required],
});

const description = {
  job_id: text,
  job_type: text,
  asset_uuid: text,
  source: object({ storage_id: text, original_relative: text, sidecars_relative: texts }, []),
  required_capabilities: texts,
};
const required = ['job_id', 'job_type', 'status', 'asset_uuid', 'required_capabilities'];

/** A job without a holder: nothing of a former lease may be told. */
const free = (status: object) =>
  object(
    {
      ...description,
      status,
      claimed_by: nothing,
      lock_token: nothing,
      fencing_token: { anyOf: [fencing, nothing] },
      locked_until: nothing,
    },
    required,
  );
const claimed = object(
  {
    ...description,
    status: { const: 'claimed' },
    claimed_by: { type: ['string', 'null'] },
    lock_token: { type: 'string', minLength: 1 },
    fencing_token: fencing,
    locked_until: time,
  },
  [...required, 'lock_token', 'fencing_token', 'locked_until'],
);

const SUCCESS: Readonly<Record<string, object>> = {
  token: object(
    {
      access_token: { type: 'string', minLength: 1 },
      token_type: { const: 'Bearer' },
      expires_in: { type: 'integer' },
      scope: text,
    },
    ['access_token', 'token_type'],
  ),
  list: { type: 'array', items: free({ const: 'pending' }) },
  claim: claimed,
  heartbeat: object({ locked_until: time, fencing_token: fencing }, []),
  // The contract also allows an empty body; the embedded service answers with the job.
  submit: free({ const: 'completed' }),
  fail: free({ enum: ['pending', 'failed'] }),
};

const refused = (...codes: readonly string[]) =>
  object(
    {
      code: { enum: [...codes] },
      message: { type: 'string', minLength: 1 },
      details: { type: 'object' },
      retryable: { type: 'boolean' },
      correlation_id: { type: 'string', minLength: 1 },
    },
    ['code', 'message', 'retryable', 'correlation_id'],
  );

const access = { 401: refused('UNAUTHORIZED'), 403: refused('FORBIDDEN_SCOPE') };
const invalid = { 422: refused('VALIDATION_FAILED') };
const locked = { ...access, ...invalid, 423: refused('LOCK_REQUIRED', 'LOCK_INVALID') };
const ending = {
  ...locked,
  400: refused('MISSING_IDEMPOTENCY_KEY'),
  409: refused('STALE_LOCK_TOKEN', 'IDEMPOTENCY_CONFLICT'),
};
/** RFC 6749, section 5.2: what is wrong with the client is 401, all else 400. */
const notGranted = (...errors: readonly string[]) =>
  object({ error: { enum: [...errors] }, error_description: text }, ['error']);

const REFUSALS: Readonly<Record<string, Readonly<Record<number, object>>>> = {
  token: {
    400: notGranted('invalid_request', 'unsupported_grant_type', 'invalid_scope'),
    401: notGranted('invalid_client'),
  },
  list: { ...access, ...invalid },
  claim: { ...access, 409: refused('STATE_CONFLICT', 'IDEMPOTENCY_CONFLICT') },
  heartbeat: { ...locked, 409: refused('STALE_LOCK_TOKEN') },
  submit: ending,
  fail: ending,
};

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);

/** Every way in which an answer departs from the contract; none when it keeps it. */
export function departures(endpoint: string, status: number, body: unknown): string[] {
  const schema = status === 200 ? SUCCESS[endpoint] : REFUSALS[endpoint]?.[status];
  if (!schema) return [`${endpoint} may not answer ${status}`];
  const validate = ajv.compile(schema);
  validate(body);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
