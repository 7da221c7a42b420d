import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { SCOPES, type Scope } from '../engine/access.ts';
import type { DescribedAnswer, DescribedDialect, Named, Operation } from '../http/operation.ts';
import { PROBLEMS, type Problem } from '../http/route.ts';
import { adminDescription } from '../services/admin/openapi.ts';
import { NewRunnerJob } from '../services/askui/new-job.ts';
import { askUiDescription } from '../services/askui/openapi.ts';
import { onceOnlyDescription } from '../services/onceonly/openapi.ts';
import { NewJob } from '../services/retaia/new-job.ts';
import { retaiaDescription } from '../services/retaia/openapi.ts';
import { answerSchema, requestSchema } from './openapi-schema.ts';
import { ownDescription } from './own-description.ts';

const DIALECTS = [
  onceOnlyDescription,
  retaiaDescription,
  askUiDescription,
  adminDescription({ job: NewJob, runnerJob: NewRunnerJob }),
  ownDescription,
];

const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  'keys:read': 'Look at keys',
  'keys:write': 'Lease, keep and finish keys',
  'jobs:claim': 'List and claim jobs',
  'jobs:heartbeat': 'Keep jobs',
  'jobs:submit': 'Finish jobs',
  'runner-jobs': 'Lease, keep and finish runner jobs',
  metrics: '/metrics',
  admin: 'Everything under /admin',
};

/** What any endpoint may answer instead of what was asked for, and only one with a scope. */
const PROBLEMS_OF_ALL: readonly Problem[] = [
  'too_large',
  'rate_limited',
  'internal',
  'unavailable',
  'outcome_unknown',
];
const PROBLEMS_OF_SCOPES: readonly Problem[] = ['unauthorized', 'forbidden'];
/** Those that pass by themselves tell when to come back. */
const PASSING: readonly Problem[] = ['rate_limited', 'unavailable'];

/**
 * The service in the words of OpenAPI 3.1, made from the schemas that it goes by.
 *
 * @param version of leasectl
 */
export function openApiDocument(version: string): JsonObject {
  const schemas = new Map<string, JsonObject>();
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const dialect of DIALECTS) {
    for (const operation of dialect.operations) {
      const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
      const described = { ...paths[path], [operation.method.toLowerCase()]: {} };
      described[operation.method.toLowerCase()] = operationOf(operation, dialect, schemas);
      paths[path] = described;
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'leasectl',
      version,
      description: 'Leases on keys and jobs, in the words of three services, over one engine.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: DIALECTS.map(({ tag, description }) => ({ name: tag, description })),
    paths,
    components: { schemas: Object.fromEntries(schemas), securitySchemes: SECURITY },
  };
}

const SECURITY = {
  bearer: { type: 'http', scheme: 'bearer' },
  basic: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`Basic`, a space, and the token alone in Base64',
  },
  oauth2: {
    type: 'oauth2',
    flows: {
      clientCredentials: {
        tokenUrl: '/api/v1/oauth/token',
        scopes: Object.fromEntries(SCOPES.map((scope) => [scope, SCOPE_WORDS[scope]])),
      },
    },
  },
};

type Schemas = Map<string, JsonObject>;

function operationOf(
  operation: Operation,
  dialect: DescribedDialect,
  schemas: Schemas,
): JsonObject {
  const { id, summary, description, scope, body, bodyType = JSON_TYPE } = operation;
  const { isBodyOptional = false } = operation;
  const parameters = parametersOf(operation);
  const content = body && {
    [bodyType]: { schema: refer(body.name, requestSchema(body.schema), schemas) },
  };
  return {
    operationId: id,
    tags: [dialect.tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: scope === undefined ? [] : securityOf(scope, dialect),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(content ? { requestBody: { required: !isBodyOptional, content } } : {}),
    responses: answersOf(operation, operation.error ?? dialect.error, schemas),
  };
}

function securityOf(scope: string, { takesBasic = false }: DescribedDialect): JsonObject[] {
  const ways = takesBasic ? ['bearer', 'basic', 'oauth2'] : ['bearer', 'oauth2'];
  return ways.map((way) => ({ [way]: [scope] }));
}

function parametersOf({ path, query, idempotencyKey, headers = {} }: Operation): JsonObject[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }));
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: idempotencyKey === 'required',
    description: 'A repetition with the same key is answered as the first time.',
    schema: { type: 'string', minLength: 1 },
  };
  return [
    ...inPath,
    ...(query ? queryParameters(requestSchema(query)) : []),
    ...(idempotencyKey ? [key] : []),
    ...Object.entries(headers).map(([name, description]) => ({
      name,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string', minLength: 1 },
    })),
  ];
}

function queryParameters({ properties, required }: JsonObject): JsonObject[] {
  if (!isJsonObject(properties)) return [];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    // One that may come many times may come no time as well.
    required: Array.isArray(required) && required.includes(name) && !isList(schema),
    schema,
  }));
}

function isList(schema: unknown): boolean {
  return isJsonObject(schema) && schema['type'] === 'array';
}

function answersOf({ scope, answers }: Operation, error: Named, schemas: Schemas): JsonObject {
  const problems = [...(scope === undefined ? [] : PROBLEMS_OF_SCOPES), ...PROBLEMS_OF_ALL];
  const common = problems.map((problem) => {
    const { status, message } = PROBLEMS[problem];
    const headers = PASSING.includes(problem) ? { 'Retry-After': RETRY_AFTER } : {};
    return [
      status,
      { ...answerOf({ description: message, body: error }, schemas), headers },
    ] as const;
  });
  const own = Object.entries(answers).map(
    ([status, answer]) => [status, answerOf(answer, schemas)] as const,
  );
  return Object.fromEntries([...common, ...own]);
}

const RETRY_AFTER = {
  description: 'Seconds after which to try again',
  required: true,
  schema: { type: 'integer', minimum: 1 },
};

const JSON_TYPE = 'application/json';

function answerOf(
  { description, body, contentType = JSON_TYPE }: DescribedAnswer,
  schemas: Schemas,
): JsonObject {
  if (!body) return { description };
  const schema = refer(body.name, answerSchema(body), schemas);
  return { description, content: { [contentType]: { schema } } };
}

/** Adds a schema to those with names. */
function refer(name: string, schema: JsonObject, schemas: Schemas): JsonObject {
  const known = schemas.get(name);
  if (known && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new Error(`two schemas are called ${name}`);
  }
  schemas.set(name, schema);
  return { $ref: `#/components/schemas/${name}` };
}
