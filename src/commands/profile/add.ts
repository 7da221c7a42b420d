import { boolean, option, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { isPrivate } from '../../domain/private-url.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import {
  type Profile,
  parseBaseUrl,
  parseToken,
  SCHEMES,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
} from '../../profiles/profile.ts';

export default class ProfileAdd extends ProfileCommand {
  static override readonly summary = 'Store a service and the token for it';
  static override readonly description = [
    'A profile becomes the default of its service where none was chosen yet. The token, or',
    'the secret of an OAuth 2.0 client, is kept in a file that only you may read, and is',
    "sent to the URL's origin only, or to that of --token-url. Without --token-stdin none",
    "is stored: then it comes from LEASECTL_TOKEN, or for the service's own address from",
    'ONCEONLY_API_KEY or ASKUI_TOKEN.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile add prod --service onceonly --token-stdin < token.txt',
    '<%= config.bin %> profile add staging --service onceonly --url http://localhost:4040',
    {
      description: 'With an OAuth 2.0 client:',
      command:
        '<%= config.bin %> <%= command.id %> media --service retaia --url https://media.example.com/api/v1 --client-id agent-7 --client-secret-stdin < secret.txt',
    },
  ];
  static override readonly args = {
    name: required('Name of the new profile'),
  };
  static override readonly flags = {
    service: option({
      description: 'Service that the profile is for',
      options: SERVICE_NAMES,
      required: true,
    })(),
    url: string({ description: "Base URL [default: the service's own]", helpValue: 'URL' }),
    'token-stdin': boolean({
      description: 'Read the token from stdin',
      exclusive: ['client-id'],
    }),
    auth: option({
      description: 'How the token is shown to the service [default: basic for askui, else bearer]',
      options: SCHEMES,
      dependsOn: ['token-stdin'],
    })(),
    'client-id': string({
      description: 'Get tokens as this OAuth 2.0 client',
      helpValue: 'ID',
      dependsOn: ['client-secret-stdin'],
    }),
    'client-secret-stdin': boolean({
      description: "Read the client's secret from stdin",
      dependsOn: ['client-id'],
    }),
    scope: string({
      description: 'What to ask a token for, separated by spaces',
      helpValue: 'LIST',
      dependsOn: ['client-id'],
    }),
    'token-url': string({
      description: "Where the client gets tokens [default: retaia's /oauth/token]",
      helpValue: 'URL',
      dependsOn: ['client-id'],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileAdd);
    const { profiles } = this.context;
    const { service } = flags;
    const given = flags.url ?? SERVICES[service].baseUrl;
    if (given === undefined) throw noUrl(service);
    const url = parsePrivateUrl(given, '--url');
    const { schemes } = SERVICES[service];
    if (flags.auth !== undefined && !schemes.includes(flags.auth)) {
      throw new Failure('usage', `${service} knows no ${flags.auth} authentication.`, {
        hint: `It takes ${schemes.join(' or ')}.`,
      });
    }
    const credential = await this.#credential(flags, url);
    await profiles.add(args.name, {
      service,
      url: withoutSlash(url),
      ...(credential ? { credential } : {}),
    });
    if (service === 'retaia' && !url.pathname.endsWith('/api/v1')) {
      this.notice(
        "Warning: the base URL of a Retaia server usually ends in /api/v1; this one doesn't.",
      );
    }
    if (!(await profiles.setFirstDefault(service, args.name))) {
      this.notice(`To make it the default of ${service}: leasectl profile use ${args.name}`);
    }
    return this.answerWith(args.name);
  }

  async #credential(
    flags: {
      readonly service: ServiceName;
      readonly auth: (typeof SCHEMES)[number] | undefined;
      readonly 'token-stdin': boolean;
      readonly 'client-id'?: string | undefined;
      readonly scope?: string | undefined;
      readonly 'token-url'?: string | undefined;
    },
    url: URL,
  ): Promise<Profile['credential']> {
    const { origin } = url;
    const { schemes, tokenPath } = SERVICES[flags.service];
    if (flags['token-stdin']) {
      const token = await this.#readSecret('--token-stdin');
      return { type: flags.auth ?? schemes[0], token, origin };
    }
    const clientId = flags['client-id'];
    if (clientId === undefined) return undefined;
    const tokenUrl = flags['token-url'] ?? (tokenPath && withoutSlash(url) + tokenPath);
    if (!tokenUrl) throw noTokenUrl(flags.service);
    return {
      type: 'oauth2',
      client_id: parseToken(clientId, '--client-id'),
      client_secret: await this.#readSecret('--client-secret-stdin'),
      token_url: parsePrivateUrl(tokenUrl, '--token-url').href,
      ...(flags.scope === undefined ? {} : { scope: flags.scope }),
      origin,
    };
  }

  async #readSecret(flag: string): Promise<string> {
    const { redactor, terminal } = this.context;
    if (terminal.isInteractive('stdin')) {
      throw new Failure('usage', `${flag} would show it while you type it.`, {
        hint: `Give it in a file or a pipe: leasectl profile add … ${flag} < FILE`,
      });
    }
    return redactor.add(parseToken(await terminal.readStdin(flag), 'stdin'));
  }
}

/** @throws Failure `usage` where a secret would travel unencrypted, too */
function parsePrivateUrl(text: string, flag: string): URL {
  const url = parseBaseUrl(text, flag);
  if (isPrivate(url)) return url;
  throw new Failure('usage', `${flag}: nothing is sent to ${url.origin} unencrypted.`, {
    hint: 'Use an https:// URL; plain http is for loopback addresses only.',
  });
}

function withoutSlash(url: URL): string {
  return url.href.replace(/\/$/, '');
}

function noUrl(service: ServiceName): Failure {
  return new Failure('usage', `--url is needed: ${service} has no address of its own.`, {
    hint: 'Give the base URL of your server, for example https://media.example.com/api/v1',
  });
}

function noTokenUrl(service: ServiceName): Failure {
  return new Failure('usage', `--token-url is needed: ${service} has no token endpoint.`, {
    hint: 'Give the URL where your OAuth 2.0 server hands out tokens.',
  });
}
