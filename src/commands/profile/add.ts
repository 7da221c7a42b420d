import { boolean, option } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { optional } from '../../positional.ts';
import { checkFlags, type WritingFlags, writingFlags } from '../../profile-flags.ts';
import type { Plan } from '../../profile-questions.ts';
import { inline, ProfileWritingCommand, profileWith } from '../../profile-writing-command.ts';
import { draftOf } from '../../profiles/draft.ts';
import {
  checkProfileName,
  type Profile,
  SERVICE_NAMES,
  type ServiceName,
} from '../../profiles/profile.ts';

export default class ProfileAdd extends ProfileWritingCommand {
  static override readonly summary = 'Store a service and the token for it';
  static override readonly description = [
    'On a terminal, without NAME or --service, it asks for what is not given. A profile becomes the default of its service',
    "where none was chosen yet. Its token, or its OAuth 2.0 client's secret, is kept in the",
    "system's keyring, or in a file that only you may read where there is none, and is sent to",
    "the URL's origin only, or to that of --token-url. Without one it comes from LEASECTL_TOKEN,",
    "or for the service's own address from ONCEONLY_API_KEY or ASKUI_TOKEN. One of service",
    'leasectl, for what leasectl serve serves, is for the commands of all services.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile add prod --service onceonly --token-stdin < token.txt',
    '<%= config.bin %> profile add staging --service onceonly --url http://localhost:4040',
    '<%= config.bin %> profile add runners --service askui --token-command "pass show askui"',
    '<%= config.bin %> profile add team --service leasectl --url https://leases.example.com --token-stdin < token.txt',
    {
      description: 'With an OAuth 2.0 client:',
      command:
        '<%= config.bin %> <%= command.id %> media --service retaia --url https://media.example.com/api/v1 --client-id agent-7 --client-secret-stdin < secret.txt',
    },
  ];
  static override readonly args = { name: optional('Name of the new profile') };
  static override readonly flags = {
    service: option({ description: 'Service that the profile is for', options: SERVICE_NAMES })(),
    ...writingFlags,
    verify: boolean({
      description: 'Try it first, and store nothing unless the service takes the token',
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileAdd);
    const { terminal, profiles } = this.context;
    const isIncomplete = args.name === undefined || flags.service === undefined;
    const isAsked = isIncomplete && terminal.canAsk && !this.jsonEnabled();
    checkFlags(flags, undefined, isAsked);
    const { name, service, wishes, secret } = isAsked
      ? await this.#asked(args.name, flags)
      : await this.#given(args.name, flags);
    const draft = draftOf(service, wishes, undefined, secret !== undefined);
    if (flags.verify || (isAsked && secret)) {
      await this.verify(name, profileWith(draft, secret && inline(secret)), isAsked);
    }
    const { profile, others } = await this.withKept(secret, flags.storage, async (stored) => {
      const profile = profileWith(draft, stored);
      return { profile, others: await profiles.add(name, profile) };
    });
    this.#tellOfPath(draft);
    if (others.length > 0) {
      this.notice(`To make it the default of ${others.join(', ')}: leasectl profile use ${name}`);
    }
    return this.answerWith(name, profile);
  }

  #tellOfPath({ service, url }: Profile): void {
    const hasPath = url.endsWith('/api/v1');
    if (service === 'retaia' && !hasPath) {
      this.notice(
        "Warning: the base URL of a Retaia server usually ends in /api/v1; this one doesn't.",
      );
    }
    if (service === 'leasectl' && hasPath) {
      this.notice('Warning: the URL of leasectl serve has no /api/v1 at its end; this one has.');
    }
  }

  async #given(name: string | undefined, flags: AddFlags): Promise<Omit<Plan, 'isDropped'>> {
    const { service } = flags;
    if (name === undefined || service === undefined) throw incomplete();
    const wishes = await this.wishesOf(flags);
    checkProfileName(name);
    // What is wrong is told before a secret is read.
    draftOf(service, wishes, undefined, true);
    return { name, service, wishes, secret: await this.newSecret(flags) };
  }

  async #asked(name: string | undefined, flags: AddFlags): Promise<Plan> {
    const { askForProfile } = await import('../../profile-questions.ts');
    const { terminal, profiles, redactor } = this.context;
    const { service } = flags;
    const wishes = await this.wishesOf(flags);
    const given = { name, service, wishes, secret: await this.newSecret(flags) };
    const plan = await askForProfile(await terminal.prompts(), given, await profiles.names());
    if (plan.secret && 'value' in plan.secret) redactor.add(plan.secret.value);
    return plan;
  }
}

type AddFlags = WritingFlags & { readonly service?: ServiceName | undefined };

function incomplete(): Failure {
  return new Failure('usage', 'A new profile needs a NAME and a --service.', {
    hint: 'For example leasectl profile add prod --service onceonly --token-stdin < token.txt',
  });
}
