import { accessSync, constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isPrivate } from '../domain/private-url.ts';
import { proxyFor } from '../http/proxy.ts';
import { NO_CONTEXT_VARIABLE } from '../origin/take-origin.ts';
import { serviceInEnv } from '../profiles/environment.ts';
import { LOCAL, parseBaseUrl, parseToken } from '../profiles/profile.ts';
import { type Environment, needsToken, type Settings } from '../profiles/resolve.ts';
import { STORAGES } from '../secrets/secret-store.ts';
import { parseWorkspace } from '../workspace.ts';
import { type About, about, command, type Finding, guarded } from './finding.ts';
import type { DoctorHost } from './host.ts';
import { type Resolution, resolutionsOf } from './resolutions.ts';

/** What a variable's check is given; the value is not empty. */
interface Given {
  readonly subject: About;
  readonly name: string;
  readonly value: string;
  readonly host: DoctorHost;
  readonly resolutions: readonly Resolution[];
}

/** Undefined where there is nothing to be told. */
type Check = (given: Given) => Finding | undefined | Promise<Finding>;

const shown: Check = ({ subject, value }) => subject.ok(value);

const XDG: Check = ({ subject, name, value }) =>
  // Where they lead is told of the directories.
  isAbsolute(value)
    ? undefined
    : subject.warn(`${value} is not used: it is no absolute path`, command('unset', name));

/** The variables that matter, in the order in which they are told. */
const CHECKS: Readonly<Record<string, Check>> = {
  LEASECTL_PROFILE: checkProfileName,
  LEASECTL_URL: checkUrl,
  LEASECTL_SERVICE: ({ subject, value, host: { context } }) => {
    serviceInEnv(context.env);
    return subject.ok(value);
  },
  LEASECTL_TOKEN: checkToken,
  ONCEONLY_API_KEY: checkToken,
  ASKUI_TOKEN: checkToken,
  ASKUI_WORKSPACE_ID: ({ subject, value, host: { context } }) => {
    parseWorkspace(undefined, context.env);
    return subject.ok(value);
  },
  LEASECTL_STORAGE: ({ subject, name, value }) =>
    STORAGES.some((storage) => storage === value)
      ? subject.ok(value)
      : subject.fail(`${value} is neither ${STORAGES.join(' nor ')}`, command('unset', name)),
  // It may have a password.
  LEASECTL_DATABASE: ({ subject }) => subject.ok('set, for serve and admin'),
  LEASECTL_DEBUG: shown,
  [NO_CONTEXT_VARIABLE]: ({ subject }) =>
    subject.ok('set: leases do not say where they were taken'),
  XDG_CONFIG_HOME: XDG,
  XDG_DATA_HOME: XDG,
  XDG_STATE_HOME: XDG,
  XDG_CACHE_HOME: XDG,
  NO_COLOR: ({ subject }) => subject.ok('set: there are no colors'),
  https_proxy: checkProxy,
  HTTPS_PROXY: checkProxy,
  all_proxy: checkProxy,
  ALL_PROXY: checkProxy,
  no_proxy: shown,
  NO_PROXY: shown,
  NODE_EXTRA_CA_CERTS: ({ subject, name, value }) =>
    isReadable(value)
      ? subject.ok(value)
      : subject.fail(
          `${value} cannot be read, and Node.js goes on without it`,
          command('unset', name),
        ),
  NODE_TLS_REJECT_UNAUTHORIZED: ({ subject, name, value }) =>
    value === '0'
      ? subject.fail(
          '0: no certificate is looked at, so anybody can be the service',
          command('unset', name),
        )
      : subject.ok(value),
};

/** For these to be set, but empty, says nothing: the others are refused then. */
const MAY_BE_EMPTY =
  /^(NO_COLOR|(https|all|no)_proxy|XDG_\w+|NODE_\w+|LEASECTL_DEBUG|LEASECTL_NO_CONTEXT|ASKUI_WORKSPACE_ID)$/i;

/** What exec tells the command that it runs, and what a token command is told. */
const OF_COMMANDS =
  /^LEASECTL_(KEY|JOB_ID|JOB_FILE|FENCING_TOKEN|EXPIRES_AT|RESULT_FILE|TOKENS?_FOR)$/;

/** Which of the variables that matter are set, and whether to what they should be. No secret is told. */
export async function checkVariables(host: DoctorHost): Promise<Finding[]> {
  const { env } = host.context;
  const resolutions = await resolutionsOf(host.context);
  const found = Object.entries(CHECKS).map(async ([name, check]) => {
    const value = env[name];
    const subject = about('variable', name);
    if (value === undefined || (value === '' && MAY_BE_EMPTY.test(name))) return [];
    if (value.trim() === '') return [subject.fail('set, but empty', command('unset', name))];
    return guarded(subject, async () => {
      const finding = await check({ subject, name, value, host, resolutions });
      return finding ? [finding] : [];
    });
  });
  return [...(await Promise.all(found)).flat(), ...unknownVariables(env)];
}

function unknownVariables(env: Environment): Finding[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('LEASECTL_') && !(name in CHECKS) && !OF_COMMANDS.test(name))
    .sort()
    .map((name) =>
      about('variable', name).warn('leasectl knows no such variable', command('unset', name)),
    );
}

async function checkProfileName({ subject, name, value, host }: Given): Promise<Finding> {
  const { profiles } = host.context;
  if (value === LOCAL || (await profiles.names()).includes(value)) return subject.ok(value);
  return subject.fail(`there is no profile ${value}`, command('unset', name));
}

function checkUrl({ subject, name, value, resolutions }: Given): Finding {
  const url = parseBaseUrl(value, name);
  if (!isPrivate(url)) {
    const mend = command('export', `${name}=${value.replace(/^http:/, 'https:')}`);
    return subject.fail(`nothing is sent to ${url.origin} unencrypted`, mend);
  }
  const led = resolutions.filter(({ settings }) => settings?.url?.source === name);
  if (led.length > 0 && led.every(({ settings }) => settings && isBare(settings, url))) {
    const detail = `${url.href}, for which there is no token`;
    return subject.warn(detail, { advice: `Set LEASECTL_TOKEN, too, or: unset ${name}` });
  }
  return subject.ok(url.href);
}

/** Whether the token is missing that is needed there. */
function isBare({ service, secret, authentication }: Settings, url: URL): boolean {
  return secret === undefined && needsToken(service, url, authentication.type);
}

function checkToken({ subject, name, value, resolutions }: Given): Finding {
  parseToken(value, name);
  const using = resolutions.flatMap(({ settings }) =>
    settings?.url && settings.secret?.source === name ? [settings] : [],
  );
  const [first] = using;
  if (!first?.url) {
    const detail = 'set, but nothing says where to send it';
    if (name !== 'LEASECTL_TOKEN') return subject.ok('set, but not used: something else is chosen');
    return subject.fail(detail, {
      advice: `Set LEASECTL_URL or LEASECTL_PROFILE, too, or: unset ${name}`,
    });
  }
  const { hidden, profile, url } = first;
  const instead = hidden === name && profile ? `, over that of profile ${profile.value}` : '';
  return subject.ok(`set, for ${url.value.origin}${instead}`);
}

function checkProxy({ subject, name, value, host: { context } }: Given): Finding {
  const env = { [name]: value };
  const remember = (secret: string) => context.redactor.add(secret);
  const proxy = proxyFor(new URL('https://example.com'), env, remember);
  return subject.ok(`${proxy?.url.origin}${proxy?.authorization ? ', with a password' : ''}`);
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
