import * as z from 'zod/mini';
import { Failure } from '../domain/failure.ts';
import { StoredSecret } from '../secrets/secret-store.ts';

/** How a token is shown to a service. */
export const SCHEMES = ['bearer', 'basic'] as const;
export type Scheme = (typeof SCHEMES)[number];

interface Service {
  /** Where it is, if it is in one place. */
  readonly baseUrl?: string;
  /** The variables that its own tools read. */
  readonly tokenVariable?: string;
  readonly workspaceVariable?: string;
  /** How its tokens may be shown, the usual way first. */
  readonly schemes: readonly [Scheme, ...Scheme[]];
  /** Path of the token endpoint below the base URL, if it has one. */
  readonly tokenPath?: string;
  /** Whether what an access token is for is named as the commands name it. */
  readonly hasScopes?: boolean;
}

/** The last one is what leasectl serves: it speaks as all the others, and is administered. */
export const SERVICE_NAMES = ['onceonly', 'retaia', 'askui', 'leasectl'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The services that leasectl speaks, with what their own tools take for granted. */
export const SERVICES: Readonly<Record<ServiceName, Service>> = {
  onceonly: {
    baseUrl: 'https://api.onceonly.tech',
    tokenVariable: 'ONCEONLY_API_KEY',
    schemes: ['bearer'],
  },
  retaia: { schemes: ['bearer'], tokenPath: '/oauth/token', hasScopes: true },
  askui: {
    baseUrl: 'https://workspaces.askui.com',
    tokenVariable: 'ASKUI_TOKEN',
    workspaceVariable: 'ASKUI_WORKSPACE_ID',
    schemes: ['basic', 'bearer'],
  },
  leasectl: { schemes: ['bearer'], tokenPath: '/api/v1/oauth/token', hasScopes: true },
};

/** Whether a profile for one service will do for the commands of another. */
export function serves(profile: ServiceName, commands: ServiceName): boolean {
  return profile === commands || profile === 'leasectl';
}

/** The services whose commands a profile for this one serves. */
export function servedBy(profile: ServiceName): readonly ServiceName[] {
  return SERVICE_NAMES.filter((commands) => serves(profile, commands));
}

/** Where a service begins, below a profile's URL, when commands of another one talk to it. */
export function basePath(profile: ServiceName, commands: ServiceName): string {
  // What its own servers' base URLs end with.
  return profile === 'leasectl' && commands === 'retaia' ? '/api/v1' : '';
}

/** The variables that hold a credential, of whatever service. */
export const CREDENTIAL_VARIABLES: readonly string[] = [
  'LEASECTL_TOKEN',
  ...Object.values(SERVICES).flatMap(({ tokenVariable }) => tokenVariable ?? []),
];

/** The profile that needs no configuration: the embedded service, in process. */
export const LOCAL = 'local';

/** The only origin that what the credential gives may be sent to. */
const Origin = z.string();

/** Made when a profile is read, as the others here: mostly there is none. */
const Credential = z.lazy(() =>
  z.discriminatedUnion('type', [
    // A profile that was imported has no secret yet.
    z.object({
      type: z.enum(SCHEMES),
      token: z.optional(StoredSecret),
      origin: Origin,
    }),
    // OAuth 2.0 client credentials. The secret is sent to the token URL only.
    z.object({
      type: z.literal('oauth2'),
      client_id: z.string().check(z.minLength(1)),
      client_secret: z.optional(StoredSecret),
      token_url: z.string().check(z.url()),
      /** Separated by spaces; without it the service decides. */
      scope: z.optional(z.string()),
      origin: Origin,
    }),
  ]),
);
export type Credential = z.infer<typeof Credential>;
export type ClientCredential = Extract<Credential, { readonly type: 'oauth2' }>;

const fields = () => ({
  service: z.enum(SERVICE_NAMES),
  url: z.string().check(z.url()),
  credential: z.optional(Credential),
  /** Certificates of authorities to trust beside the system's, PEM. */
  ca_file: z.optional(z.string()),
  /** Certificate, and its key, to show to the service, PEM. */
  client_cert: z.optional(z.string()),
  client_key: z.optional(z.string()),
});
export const Profile = z.lazy(() => z.object(fields()));
/** As its file holds it: with what a later leasectl wrote there, too. */
export const StoredProfile = z.lazy(() => z.looseObject(fields()));
export type Profile = z.infer<typeof Profile>;

/** The secret that a credential has, if it has one. */
export function secretOf(credential: Credential | undefined): StoredSecret | undefined {
  return credential?.type === 'oauth2' ? credential.client_secret : credential?.token;
}

/** The same credential with a secret, or without one. */
export function withSecret(credential: Credential, secret: StoredSecret | undefined): Credential {
  if (credential.type === 'oauth2') {
    const { client_secret: _, ...rest } = credential;
    return secret === undefined ? rest : { ...rest, client_secret: secret };
  }
  const { token: _, ...rest } = credential;
  return secret === undefined ? rest : { ...rest, token: secret };
}

/** How a profile's secret is stored, as a command to type. */
export function storeWith(name: string, type: Credential['type'] | undefined): string {
  const flag = type === 'oauth2' ? '--client-secret-stdin' : '--token-stdin';
  return `leasectl profile edit ${name} ${flag}`;
}

export function isProfileName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name) && name !== LOCAL;
}

/** @throws Failure `usage` unless the name can be a profile's */
export function checkProfileName(name: string): string {
  if (isProfileName(name)) return name;
  if (name === LOCAL) {
    throw new Failure('usage', `"${LOCAL}" is built in.`, {
      hint: 'It is always there, and cannot be changed or removed.',
    });
  }
  throw new Failure('usage', `${JSON.stringify(name)} is no profile name.`, {
    hint: 'A name has 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first.',
  });
}

/**
 * Takes off the line break that files and secret stores add.
 *
 * @param where what the text came from, for the message
 * @throws Failure `usage` unless it can travel in a header: visible ASCII, on one line
 */
export function parseToken(text: string, where: string): string {
  const token = text.trim();
  const isQuoted = /^(["']).*\1$/.test(token);
  if (/^[\x21-\x7e]+$/.test(token) && !isQuoted) return token;
  const word = /^(Bearer|Basic) /i.exec(token)?.[1];
  const surplus = word ? `Leave out the word ${word}. ` : isQuoted ? 'Leave out the quotes. ' : '';
  throw new Failure('usage', `${where} holds no token.`, {
    hint: `${surplus}A token is one line of visible ASCII characters, without spaces.`,
  });
}

/** As `parseToken`, for what is no secret. */
export function parseClientId(text: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new Failure('usage', `${where} is no id of a client.`, {
    hint: 'An id is visible ASCII characters, without spaces.',
  });
}

/**
 * @param where what the text came from, for the message
 * @throws Failure `usage` unless it is an http or https URL without user, query and fragment
 */
export function parseBaseUrl(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && !url.username && !url.password && !url.search && !url.hash;
  if (isPlain && /^https?:$/.test(url.protocol)) return url;
  throw new Failure('usage', `${where} is no usable base URL.`, {
    hint: 'Give one like https://api.example.com, without user, query and fragment.',
  });
}
