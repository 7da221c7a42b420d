import { boolean, option, string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { AUTHENTICATIONS } from './profiles/draft.ts';
import type { Credential } from './profiles/profile.ts';
import { STORAGES, type Storage } from './secrets/secret-store.ts';

/** The flags of the commands that make or change a profile, as they were given. */
export interface WritingFlags {
  readonly url?: string | undefined;
  readonly auth?: (typeof AUTHENTICATIONS)[number] | undefined;
  readonly 'token-stdin': boolean;
  readonly 'token-file'?: string | undefined;
  readonly 'token-command'?: string | undefined;
  readonly 'client-id'?: string | undefined;
  readonly 'client-secret-stdin': boolean;
  readonly 'client-secret-file'?: string | undefined;
  readonly 'client-secret-command'?: string | undefined;
  readonly scope?: string | undefined;
  readonly 'token-url'?: string | undefined;
  readonly storage?: Storage | undefined;
  readonly 'ca-file'?: string | undefined;
  readonly 'client-cert'?: string | undefined;
  readonly 'client-key'?: string | undefined;
}

const TOKENS = ['token-stdin', 'token-file', 'token-command'] as const;
const CLIENT_SECRETS = [
  'client-secret-stdin',
  'client-secret-file',
  'client-secret-command',
] as const;
const COMMANDS = ['token-command', 'client-secret-command'] as const;
export const SECRETS = [...TOKENS, ...CLIENT_SECRETS];

const others = (flag: (typeof SECRETS)[number]) => SECRETS.filter((name) => name !== flag);
const file = (description: string) => string({ description, helpValue: 'FILE' });

/** The flags of the commands that make or change a profile. */
export const writingFlags = {
  url: string({ description: "Base URL [default: the service's own]", helpValue: 'URL' }),
  auth: option({
    description: 'How one authenticates [default: basic for askui, else bearer]',
    options: AUTHENTICATIONS,
  })(),
  'token-stdin': boolean({
    description: 'Read the token from stdin',
    exclusive: others('token-stdin'),
  }),
  'token-file': string({
    description: 'Read the token from a file, once',
    helpValue: 'FILE',
    exclusive: others('token-file'),
  }),
  'token-command': string({
    description: 'Run this line of shell each time: it prints the token',
    helpValue: 'COMMAND',
    exclusive: others('token-command'),
  }),
  'client-id': string({ description: 'Get tokens as this OAuth 2.0 client', helpValue: 'ID' }),
  'client-secret-stdin': boolean({
    description: "Read the client's secret from stdin",
    exclusive: others('client-secret-stdin'),
  }),
  'client-secret-file': string({
    description: "Read the client's secret from a file, once",
    helpValue: 'FILE',
    exclusive: others('client-secret-file'),
  }),
  'client-secret-command': string({
    description: "Run this line of shell each time: it prints the client's secret",
    helpValue: 'COMMAND',
    exclusive: others('client-secret-command'),
  }),
  scope: string({
    description: 'What to ask a token for, separated by spaces',
    helpValue: 'LIST',
  }),
  'token-url': string({
    description: 'Where the client gets tokens [default: the endpoint of retaia and leasectl]',
    helpValue: 'URL',
  }),
  storage: option({
    description:
      'Where to keep the secret [default: LEASECTL_STORAGE, the keyring, or a file where there is none]',
    options: STORAGES,
  })(),
  'ca-file': file('Certificates of authorities to trust beside the usual ones, PEM'),
  'client-cert': file('Certificate to show to the service, PEM'),
  'client-key': file('Key of that certificate, PEM'),
};

/**
 * Looks whether the flags fit together.
 *
 * @param current how the profile authenticates so far
 * @param isAsked whether what is missing is asked for
 * @throws Failure `usage` where a secret would become something else than it is
 */
export function checkFlags(
  flags: WritingFlags,
  current: Credential['type'] | undefined,
  isAsked: boolean,
): void {
  const token = given(flags, TOKENS);
  const clientSecret = given(flags, CLIENT_SECRETS);
  const isClient = flags['client-id'] !== undefined || clientSecret !== undefined;
  const type = flags.auth ?? (isClient ? 'oauth2' : current);
  if (type === 'oauth2' && token !== undefined) {
    throw new Failure('usage', `--${token}: an OAuth 2.0 client gets its tokens by itself.`, {
      hint: 'Give its secret with --client-secret-stdin; or, for a token in its place, --auth bearer too.',
    });
  }
  if (type !== 'oauth2' && clientSecret !== undefined) {
    throw new Failure('usage', `--${clientSecret} is for an OAuth 2.0 client, not for ${type}.`, {
      hint: 'Give a token with --token-stdin, or another --auth.',
    });
  }
  const isMissing = type === 'oauth2' && current !== 'oauth2' && clientSecret === undefined;
  if (isMissing && !isAsked) {
    throw new Failure('usage', 'An OAuth 2.0 client needs its secret.', {
      hint: 'Give it with --client-secret-stdin, --client-secret-file or --client-secret-command.',
    });
  }
  const command = given(flags, COMMANDS);
  if (command !== undefined && flags.storage !== undefined) {
    throw new Failure('usage', `What the --${command} prints is stored nowhere.`, {
      hint: 'Leave out --storage, or the command.',
    });
  }
}

export function isForClient(flags: WritingFlags): boolean {
  return flags['client-id'] !== undefined || given(flags, CLIENT_SECRETS) !== undefined;
}

function given<Name extends keyof WritingFlags>(
  flags: WritingFlags,
  names: readonly Name[],
): Name | undefined {
  // A boolean flag that is not given is false, or undefined.
  return names.find((name) => flags[name] !== undefined && flags[name] !== false);
}
