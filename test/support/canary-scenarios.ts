import { SECRETS } from './canaries.ts';
import {
  type Behavior,
  type CanaryService,
  type Given,
  succeed,
  type Told,
  takes,
} from './canary-service.ts';
import { closedUrl } from './stub-server.ts';

/** How a profile, or the environment, comes to a secret. */
export const CREDENTIALS = ['variable', 'vendor', 'stored', 'printed', 'client'] as const;
export type Credential = (typeof CREDENTIALS)[number];

/** How an answer is asked for. */
export const MODES = [
  'text',
  'json',
  'field',
  'query',
  'terminal',
  'dry',
  'dry json',
  'help',
] as const;
export type Mode = (typeof MODES)[number];
const USUAL: readonly Mode[] = ['text', 'json', 'field', 'query', 'terminal'];

export interface Scenario {
  readonly name: string;
  readonly behavior: Behavior;
  /** Where it makes sense with one way of authentication only. */
  readonly credential?: Credential;
  /** What is set instead of what leads to the stub. */
  readonly env?: (service: CanaryService) => Promise<Readonly<Record<string, string>>>;
  /** For `--timeout`, and all that may be waited for; default 1s. */
  readonly timeout?: string;
  /** In the embedded service: whether its key is taken. */
  readonly embedded?: 'free' | 'taken';
  /** Those that it is about; default all that get an answer. */
  readonly modes: readonly Mode[];
  /** Whether every form of every command is run. */
  readonly isWhole?: boolean;
  /** Whether commands that know no service are run, too. */
  readonly isForAll?: boolean;
}

/** So that nothing is tried again. */
const LATER = { 'retry-after': '90' };

/** A refusal in the words of the service. */
function refused(status: number, { path, echo }: Told): Given {
  const fields = [{ type: 'bad', loc: ['body', echo], msg: `not ${echo}`, input: echo }];
  if (path.startsWith('/v1/ai')) {
    const detail = status === 422 ? fields : { error: `no_${status}`, message: `No: ${echo}.` };
    return { status, headers: LATER, body: { detail } };
  }
  if (path.includes('/runner-jobs')) {
    return { status, headers: LATER, body: { detail: status === 422 ? fields : `No: ${echo}.` } };
  }
  if (path.endsWith('/oauth/token')) {
    return { status, headers: LATER, body: { error: 'invalid_client', error_description: echo } };
  }
  return { status, headers: LATER, body: { code: 'NO', message: `No: ${echo}.`, details: fields } };
}

const page =
  (status: number): Behavior =>
  ({ echo }) => ({
    status,
    headers: { ...LATER, 'content-type': 'text/html', 'x-debug': echo },
    body: `<html><title>${echo}</title>${echo}</html>`,
  });
const hangUp: Behavior = (_, response) => void response.socket?.destroy();
const hangUpLater: Behavior = ({ echo }, response) => {
  response.writeHead(200, { 'content-length': '100000', 'content-type': 'application/json' });
  response.write(`{"message": ${JSON.stringify(echo)}`, () => response.socket?.destroy());
  return undefined;
};
const isToken = ({ path }: Told) => path.endsWith('/oauth/token');

/** As it does well, and otherwise so. */
const unless =
  (isFine: (told: Told) => boolean, behavior: Behavior): Behavior =>
  (told, response) =>
    (isFine(told) ? succeed : behavior)(told, response);
const refusing =
  (status: number): Behavior =>
  (told) =>
    refused(status, told);
const tokenRefused = (name: string, behavior: Behavior) => ({
  name: `no access token: ${name}`,
  behavior: unless((told) => !isToken(told), behavior),
  credential: 'client' as const,
});

/** With its own words around the secrets, in every field that may have any. */
const talkative: Behavior = (told, response) => {
  const given = succeed(told, response);
  const { echo } = told;
  const words = {
    error_code: `used ${echo}`,
    result_hash: echo,
    policy_reason: echo,
    asset_uuid: echo,
  };
  if (typeof given?.body !== 'object') return given;
  const { body } = given;
  const more = Array.isArray(body)
    ? body.map((job) => ({ ...job, ...words }))
    : { ...body, ...words };
  return { ...given, body: more };
};
const misfit: Behavior = ({ echo }) => ({
  status: 200,
  body: { ok: echo, status: echo, key: [echo], [echo]: echo, ack: 5, job_id: {}, items: echo },
});

const ABOUT_ANSWERS: readonly Omit<Scenario, 'modes'>[] = [
  { name: 'success', behavior: succeed, timeout: '10s', isWhole: true, isForAll: true },
  { name: 'success that says it again', behavior: unless(isToken, talkative) },
  ...[400, 401, 402, 403, 404, 409, 422, 429, 500, 503].map((status) => ({
    name: `refusal ${status}`,
    behavior: unless(isToken, refusing(status)),
    isForAll: status === 401,
  })),
  { name: 'refusal of what was taken', behavior: unless(takes, refusing(409)) },
  { name: 'page 403', behavior: unless(isToken, page(403)), isForAll: true },
  { name: 'page 404', behavior: unless(isToken, page(404)) },
  { name: 'page 200', behavior: unless(isToken, page(200)) },
  {
    name: 'redirect',
    behavior: unless(isToken, ({ echo }) => ({
      status: 302,
      headers: { location: `https://elsewhere.test/?to=${encodeURI(echo)}#${encodeURI(echo)}` },
    })),
  },
  {
    name: 'broken JSON',
    behavior: unless(isToken, ({ echo }) => ({
      status: 200,
      body: JSON.stringify({ echo, lease_id: echo, end: true }).slice(0, -4),
    })),
  },
  { name: 'broken contract', behavior: unless(isToken, misfit) },
  { name: 'connection lost', behavior: unless(isToken, hangUp), isForAll: true },
  { name: 'answer cut off', behavior: unless(isToken, hangUpLater) },
  { name: 'no answer', behavior: unless(isToken, () => undefined) },
  tokenRefused('refusal 401', refusing(401)),
  tokenRefused('page 400', page(400)),
  tokenRefused('broken contract', ({ echo }) => ({
    status: 200,
    body: { access_token: SECRETS.access, token_type: echo, [echo]: echo },
  })),
  tokenRefused('connection lost', hangUp),
  {
    name: 'closed port',
    behavior: succeed,
    credential: 'variable',
    env: async () => ({ LEASECTL_URL: await closedUrl() }),
  },
  {
    name: 'proxy that refuses',
    behavior: succeed,
    isForAll: true,
    credential: 'vendor',
    env: async ({ url }) => ({
      LEASECTL_URL: 'https://service.test',
      HTTPS_PROXY: `http://u:${encodeURIComponent(SECRETS.proxy)}@${new URL(url).host}`,
    }),
  },
  { name: 'embedded service, a free key', behavior: succeed, embedded: 'free', isForAll: true },
  {
    name: 'embedded service, a taken key',
    behavior: succeed,
    embedded: 'taken',
    isForAll: true,
  },
];

export const SCENARIOS: readonly Scenario[] = [
  ...ABOUT_ANSWERS.map((scenario) => ({ modes: USUAL, ...scenario })),
  { name: 'dry run', behavior: succeed, modes: ['dry', 'dry json'], isWhole: true },
  { name: 'help', behavior: succeed, modes: ['help'], isForAll: true },
];
