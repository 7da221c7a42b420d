import { type Answer, BaseCommand } from './base-command.ts';
import { renderDetails } from './output/table.ts';
import { serviceTime } from './output/time.ts';
import {
  type Credential,
  LOCAL,
  type Profile,
  SERVICE_NAMES,
  type ServiceName,
  secretOf,
  servedBy,
} from './profiles/profile.ts';
import { sourceOf, tailOf } from './secrets/secret-store.ts';

/** A profile as it is shown: without its token. */
export interface ProfileSummary {
  readonly name: string;
  /** `all` for the built-in profile: it stands in for every service that has no default. */
  readonly service: ServiceName | 'all';
  readonly url: string | null;
  /** Of all that it serves. */
  readonly default: boolean;
  readonly auth: Credential['type'] | null;
  /** Of an OAuth 2.0 client. */
  readonly client_id: string | null;
  readonly token_url: string | null;
  readonly scope: string | null;
  /** Where the token, or the client's secret, is; null when there is none. */
  readonly token: TokenSummary | null;
  readonly ca_file: string | null;
  readonly client_cert: string | null;
  readonly client_key: string | null;
  /** RFC 3339. */
  readonly last_used_at: string | null;
}

interface TokenSummary {
  readonly source: 'file' | 'keyring' | 'command';
  /** The end of it, where that gives nothing away. */
  readonly tail: string | null;
}

const NOTHING = {
  url: null,
  auth: null,
  client_id: null,
  token_url: null,
  scope: null,
  token: null,
  ca_file: null,
  client_cert: null,
  client_key: null,
  last_used_at: null,
};

/** What the commands on profiles share. */
export abstract class ProfileCommand extends BaseCommand {
  // oclif stops looking for what is inherited at a class without statics of its own.
  static override readonly baseFlags = BaseCommand.baseFlags;

  /** @param profile what is stored under that name; undefined for `local` */
  protected async summarize(name: string, profile: Profile | undefined): Promise<ProfileSummary> {
    const { profiles } = this.context;
    if (profile === undefined) {
      const served = await this.#defaultFor(name, SERVICE_NAMES);
      const isDefault = served.length === SERVICE_NAMES.length;
      return { name, service: 'all', ...NOTHING, default: isDefault };
    }
    const { service, url, credential } = profile;
    const lastUse = await profiles.lastUseOf(name);
    const services = servedBy(service);
    const { ca_file = null, client_cert = null, client_key = null } = profile;
    const client = credential?.type === 'oauth2' ? credential : undefined;
    return {
      name,
      service,
      url,
      default: (await this.#defaultFor(name, services)).length === services.length,
      auth: credential?.type ?? null,
      client_id: client?.client_id ?? null,
      token_url: client?.token_url ?? null,
      scope: client?.scope ?? null,
      token: tokenOf(profile),
      ca_file,
      client_cert,
      client_key,
      last_used_at: lastUse === undefined ? null : new Date(lastUse).toISOString(),
    };
  }

  /** @throws Failure `usage` when there is no such profile, or its file is broken */
  protected async stored(name: string): Promise<Profile | undefined> {
    return name === LOCAL ? undefined : this.context.profiles.get(name);
  }

  /** Forgets what a profile had; the profile itself is changed, or removed, already. */
  protected async forgetCredential(
    name: string,
    credential: Credential | undefined,
  ): Promise<void> {
    try {
      if (credential) await this.context.forgetCredential(name, credential);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.notice(`Warning: the old secret of ${name} could not be forgotten: ${why}`);
    }
  }

  /** Whether a profile is a default, for people: who serves several services may be that of some. */
  protected async shownDefault({ name, service, ...summary }: ProfileSummary): Promise<string> {
    if (summary.default) return 'yes';
    const services = service === 'all' ? SERVICE_NAMES : servedBy(service);
    const served = await this.#defaultFor(name, services);
    return served.length > 0 ? `for ${served.join(', ')}` : 'no';
  }

  /** Those of the services whose default it is; the embedded service is that where there is no other. */
  async #defaultFor(name: string, services: readonly ServiceName[]): Promise<ServiceName[]> {
    const { profiles } = this.context;
    const chosen = await Promise.all(
      services.map(async (service) => ({
        service,
        profile: (await profiles.defaultOf(service)) ?? LOCAL,
      })),
    );
    return chosen.filter(({ profile }) => profile === name).map(({ service }) => service);
  }

  /** @param profile as for `summarize`: what this command did stands, whatever others do meanwhile */
  protected async answerWith(name: string, profile: Profile | undefined): Promise<Answer> {
    const summary = await this.summarize(name, profile);
    const shownDefault = await this.shownDefault(summary);
    return {
      data: summary,
      text: (style) =>
        renderDetails(
          [
            ['Profile', summary.name],
            ['Service', summary.service],
            ['URL', summary.url ?? 'embedded'],
            ['Default', shownDefault],
            ['Authentication', profile && authenticationOf(profile)],
            ['Token', shownToken(summary)],
            ['Authorities', profile?.ca_file],
            ['Certificate', profile?.client_cert],
            ['Key', profile?.client_key],
            ['Last used', serviceTime(summary.last_used_at, style)],
          ],
          style,
        ),
    };
  }
}

function tokenOf({ credential }: Profile): TokenSummary | null {
  const secret = secretOf(credential);
  if (secret === undefined) return null;
  const source = sourceOf(secret);
  if (typeof secret === 'string') return { source, tail: tailOf(secret) ?? null };
  return { source, tail: ('tail' in secret && secret.tail) || null };
}

/** Where a token is, for people: `keyring …a1b2`. */
export function shownToken({ name, token }: ProfileSummary): string {
  if (token) return [token.source, token.tail].filter(Boolean).join(' ');
  return name === LOCAL ? 'not needed' : 'none';
}

function authenticationOf({ credential }: Profile): string | undefined {
  if (credential?.type !== 'oauth2') return credential?.type;
  const { client_id, token_url, scope } = credential;
  const asked = scope === undefined ? '' : `, for ${scope}`;
  return `oauth2: client ${client_id} at ${token_url}${asked}`;
}
