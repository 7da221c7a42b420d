import type { Context } from './context.ts';
import { Failure } from './domain/failure.ts';
import { serviceInEnv } from './profiles/environment.ts';
import { serviceOf } from './profiles/implied.ts';
import { SERVICE_NAMES, SERVICES, type ServiceName } from './profiles/profile.ts';
import { type Project, ttlIn } from './profiles/project.ts';
import { requestUrl, resolveSettings, type Secret, type Settings } from './profiles/resolve.ts';
import { sourceOf, tailOf } from './secrets/secret-store.ts';

/** Something that a command goes by, and what said it. */
export interface ResolvedSetting {
  readonly setting: string;
  readonly value: string | null;
  readonly source: string;
}

/** What is known of a command from its declaration. */
interface Declared {
  readonly id: string;
  readonly service?: unknown;
  readonly args: Readonly<Record<string, unknown>>;
  readonly flags: Readonly<Record<string, { readonly default?: unknown }>>;
}

const BUILT_IN = 'built-in';

/**
 * What a command would go by. Nothing is asked, and no secret is read that is not at hand.
 *
 * @param profile as if it was given as `--profile`
 * @throws Failure as `resolveSettings`; `usage` for a command that talks to no service
 */
export async function settingsOf(
  context: Context,
  { id, service, args, flags }: Declared,
  profile: string | undefined,
): Promise<ResolvedSetting[]> {
  const words = `command ${id.replaceAll(':', ' ')}`;
  const own = SERVICE_NAMES.find((known) => known === service);
  if (own === undefined && service !== 'any') {
    throw new Failure('usage', `The ${words} asks no service: there is nothing to resolve.`, {
      hint: 'Name one that does, for example lease or "jobs claim".',
    });
  }
  const name = own ?? (await serviceOf(await context.selectionOfAny(profile), undefined));
  const settings = await resolveSettings(await context.selection(name, profile));
  const project = await context.project();
  return [
    { setting: 'service', value: name, source: own ? words : serviceSource(settings, context.env) },
    ...servedBy(settings, name, context.env),
    ...connection(settings, name),
    ...(flags['ttl'] ? [ttlOf(id, flags['ttl'], project)] : []),
    ...('key' in args ? [said('key prefix', project?.key_prefix, project?.file)] : []),
    ...(flags['workspace-id']
      ? [said('workspace', context.env[WORKSPACE] || undefined, WORKSPACE)]
      : []),
  ];
}

const WORKSPACE = SERVICES.askui.workspaceVariable ?? '';

/** @param source what says the value, where one is said */
function said(setting: string, value: string | undefined, source = BUILT_IN): ResolvedSetting {
  return value === undefined
    ? { setting, value: null, source: BUILT_IN }
    : { setting, value, source };
}

function ttlOf(
  id: string,
  { default: usual }: { readonly default?: unknown },
  project: Project | undefined,
): ResolvedSetting {
  const ttl = project && ttlIn(project, id);
  if (ttl !== undefined) return said('ttl', ttl, project?.file);
  return said('ttl', typeof usual === 'string' ? usual : "the service's");
}

/** What says the service of a command that has none of its own. */
function serviceSource({ url }: Settings, env: Context['env']): string {
  if (!url) return BUILT_IN;
  return serviceInEnv(env) ? 'LEASECTL_SERVICE' : 'the profile';
}

/** Who speaks as the service, if that is not the service itself. */
function servedBy(
  { service, url, profile }: Settings,
  commands: ServiceName,
  env: Context['env'],
): ResolvedSetting[] {
  if (!url || service === commands) return [];
  const said = serviceInEnv(env) ? 'LEASECTL_SERVICE' : `profile ${profile?.value}`;
  return [{ setting: 'served by', value: service, source: said }];
}

function connection(settings: Settings, service: ServiceName): ResolvedSetting[] {
  const { profile, service: actual, url, secret, authentication, hidden, network } = settings;
  const where = url && requestUrl(url.value, actual, service);
  const own = `profile ${profile?.value}`;
  return [
    { setting: 'profile', value: profile?.value ?? null, source: profile?.source ?? 'environment' },
    {
      setting: 'url',
      value: where?.href.replace(/\/$/, '') ?? 'embedded',
      source: url?.source ?? BUILT_IN,
    },
    ...(url === undefined
      ? []
      : [
          {
            setting: 'authentication',
            value: authentication.type,
            source: 'origin' in authentication ? own : `usual for ${actual}`,
          },
          {
            setting: 'token',
            value: secret ? shown(secret.value) : null,
            source: secret
              ? `${secret.source}${hidden ? ` (over that of ${own})` : ''}`
              : 'nowhere',
          },
        ]),
    ...Object.entries(network).flatMap(([setting, value]) =>
      value === undefined ? [] : [{ setting: FILES[setting] ?? setting, value, source: own }],
    ),
  ];
}

const FILES: Readonly<Record<string, string>> = {
  caFile: 'ca file',
  certFile: 'client certificate',
  keyFile: 'client key',
};

function shown(secret: Secret): string {
  if ('given' in secret) return tailOf(secret.given) ?? 'set';
  const { stored } = secret;
  const tail = typeof stored === 'string' ? tailOf(stored) : 'tail' in stored ? stored.tail : '';
  return [sourceOf(stored), tail].filter(Boolean).join(' ');
}
