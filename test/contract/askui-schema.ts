import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/*
 * The answers of AskUI's runner job endpoints as its contract gives them, written independently of
 * the zod schemas that the product uses. Nothing beyond them may be sent: `additionalProperties` is
 * false, but for the object that whoever added the job gave it.
 */

const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };

const object = (properties: object, required = Object.keys(properties)) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

const urls = {
  schedule_results_api_url: text,
  results_api_url: text,
  workflows_api_url: text,
  inference_api_url: text,
};
const leased = object({
  id: text,
  ack: { type: 'string', minLength: 1 },
  status: { enum: ['PENDING', 'RUNNING', 'PASSED', 'FAILED', 'CANCELED', 'MAX_RETRIES_EXCEEDED'] },
  visible: time,
  runner_id: text,
  tries: { type: 'integer' },
  data: object(
    {
      credentials: object({ workspace_id: text, access_token: text }),
      workflows: { type: ['array', 'null'], items: text },
      ...urls,
      data: { type: 'object' },
    },
    ['credentials', 'workflows', ...Object.keys(urls)],
  ),
});

const invalid = object({
  detail: {
    type: 'array',
    minItems: 1,
    items: object({
      loc: { type: 'array', minItems: 1, items: { type: ['string', 'integer'] } },
      msg: { type: 'string', minLength: 1 },
      type: { type: 'string', minLength: 1 },
    }),
  },
});

/** 409 on an acquisition is the addition for repetitions. */
const ANSWERS: Readonly<Record<string, Readonly<Record<number, object>>>> = {
  lease: { 200: { anyOf: [leased, { type: 'null' }] }, 409: invalid, 422: invalid },
  ping: { 200: object({ visible: time, cancel_job: { type: 'boolean' } }), 422: invalid },
  complete: { 422: invalid },
};

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);

/** Every way in which an answer departs from the contract; none when it keeps it. */
export function departures(endpoint: string, status: number, body: unknown): string[] {
  if (endpoint === 'complete' && status === 204)
    return body === undefined ? [] : ['204 has a body'];
  const schema = ANSWERS[endpoint]?.[status];
  if (!schema) return [`${endpoint} may not answer ${status}`];
  const validate = ajv.compile(schema);
  validate(body);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
