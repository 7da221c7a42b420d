import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/*
 * The part of OpenAPI 3.1 that the description of the service makes use of, written from the
 * specification. Anything beyond it has to be added here first: `additionalProperties` is false.
 */

const text = { type: 'string', minLength: 1 };
const texts = { type: 'array', items: text };

const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required: [...required],
});
const mapOf = (schema: object, keys: object = {}) => ({
  type: 'object',
  propertyNames: keys,
  additionalProperties: schema,
});

/** What is in one is Ajv's to judge. */
const schema = { type: ['object', 'boolean'] };
const content = {
  ...mapOf(object({ schema }), { pattern: '^[a-z]+/[a-z0-9.+-]+$' }),
  maxProperties: 1,
};
const header = object({ description: text, required: { type: 'boolean' }, schema }, ['schema']);
const parameter = {
  ...object(
    {
      name: text,
      in: { enum: ['path', 'query', 'header'] },
      required: { type: 'boolean' },
      description: text,
      schema,
    },
    ['name', 'in', 'schema'],
  ),
  // A parameter of the path is never optional.
  if: { properties: { in: { const: 'path' } } },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so
  then: { properties: { required: { const: true } }, required: ['required'] },
};
const response = object({ description: text, headers: mapOf(header), content }, ['description']);
const operation = object(
  {
    operationId: { type: 'string', pattern: '^[a-z][A-Za-z]+$' },
    tags: { ...texts, minItems: 1, maxItems: 1 },
    summary: text,
    description: text,
    security: { type: 'array', items: { ...mapOf(texts), minProperties: 1, maxProperties: 1 } },
    parameters: { type: 'array', items: parameter },
    requestBody: object({ required: { type: 'boolean' }, content }),
    responses: { ...mapOf(response, { pattern: '^[1-5]\\d\\d$' }), minProperties: 1 },
  },
  ['operationId', 'tags', 'summary', 'security', 'responses'],
);
const methods = { enum: ['get', 'post', 'put', 'delete'] };
const securityScheme = {
  oneOf: [
    object({ type: { const: 'http' }, scheme: text }),
    object({ type: { const: 'apiKey' }, in: { const: 'header' }, name: text, description: text }),
    object({
      type: { const: 'oauth2' },
      flows: object({ clientCredentials: object({ tokenUrl: text, scopes: mapOf(text) }) }),
    }),
  ],
};
const document = object({
  openapi: { const: '3.1.0' },
  info: object({
    title: text,
    version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' },
    description: text,
    license: object({ name: text, identifier: text }),
  }),
  servers: { type: 'array', items: object({ url: text }) },
  tags: { type: 'array', items: object({ name: text, description: text }) },
  paths: mapOf({ ...mapOf(operation, methods), minProperties: 1 }, { pattern: '^/' }),
  components: object({
    schemas: mapOf(schema, { pattern: '^[A-Za-z0-9._-]+$' }),
    securitySchemes: mapOf(securityScheme),
  }),
});

/** Every way in which a document is no description by OpenAPI 3.1; none when it is one. */
export function misfits(description: unknown): string[] {
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(document);
  validate(description);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

/** Judges values by the schemas of a description. */
export function createJudge(description: object) {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  ajv.addSchema(description, 'openapi.json');
  return (reference: string, value: unknown): string[] => {
    const validate = ajv.getSchema(`openapi.json${reference}`);
    if (!validate) throw new Error(`there is no ${reference}`);
    validate(value);
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
}
