import { boolean, option, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { parseBaseUrl, parseToken, SERVICE_NAMES, SERVICES } from '../../profiles/profile.ts';

export default class ProfileAdd extends ProfileCommand {
  static override readonly summary = 'Store a service and the token for it';
  static override readonly description = [
    'A profile becomes the default of its service where none was chosen yet. The token is',
    "kept in a file that only you may read, and is sent to the URL's origin only. Without",
    '--token-stdin none is stored: then it comes from LEASECTL_TOKEN, or for',
    'https://api.onceonly.tech from ONCEONLY_API_KEY.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile add prod --service onceonly --token-stdin < token.txt',
    '<%= config.bin %> profile add staging --service onceonly --url http://localhost:4040',
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
    'token-stdin': boolean({ description: 'Read the token from stdin' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileAdd);
    const { profiles } = this.context;
    const { service } = flags;
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
    const { redactor, terminal } = this.context;
    if (terminal.isInteractive('stdin')) {
      throw new Failure('usage', '--token-stdin would show the token while you type it.', {
        hint: 'Give it in a file or a pipe: leasectl profile add … --token-stdin < FILE',
      });
    }
    const text = await terminal.readStdin('--token-stdin');
    return redactor.add(parseToken(text, 'stdin'));
  }
}
