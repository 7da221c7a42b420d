import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { parseBaseUrl, parseService, SERVICE_NAMES, SERVICES } from '../../profiles/profile.ts';

export default class ProfileAdd extends ProfileCommand {
  static override readonly summary = 'Store a service and the token for it';
  static override readonly description = [
    'The first profile of a service becomes its default. The token is kept in a file that',
    "only you may read, and is sent to the URL's origin only. Without --token-stdin none",
    "is stored: then it comes from LEASECTL_TOKEN, or from the service's own variable",
    '(ONCEONLY_API_KEY).',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile add prod --service onceonly --token-stdin < token.txt',
    '<%= config.bin %> profile add staging --service onceonly --url http://localhost:4040',
  ];
  static override readonly args = {
    name: argument({ description: 'Name of the new profile', required: true }),
  };
  static override readonly flags = {
    service: string({
      description: 'Service that the profile is for',
      options: [...SERVICE_NAMES],
      required: true,
    }),
    url: string({ description: "Base URL [default: the service's own]", helpValue: 'URL' }),
    'token-stdin': boolean({ description: 'Read the token from stdin' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileAdd);
    const { profiles } = this.context;
    const service = parseService(flags.service);
    const url = parseBaseUrl(flags.url ?? SERVICES[service].baseUrl, '--url');
    const token = flags['token-stdin'] ? await this.#readToken() : undefined;
    await profiles.add(args.name, {
      service,
      url: url.href.replace(/\/$/, ''),
      ...(token ? { credential: { type: 'bearer', token, origin: url.origin } } : {}),
    });
    if (!(await profiles.setFirstDefault(service, args.name))) {
      this.notice(`To make it the default of ${service}: leasectl profile use ${args.name}`);
    }
    return this.answerWith(args.name);
  }

  async #readToken(): Promise<string> {
    const text = await this.context.terminal.readStdin('--token-stdin');
    const token = this.context.redactor.add(text.trim());
    // What HTTP can carry in a header; anything else is a file that was meant for something else.
    if (/^[\x21-\x7e]+$/.test(token)) return token;
    throw new Failure('usage', 'stdin holds no token.', {
      hint: 'Give the token alone, on one line: leasectl profile add … --token-stdin < FILE',
    });
  }
}
