import { existsSync } from 'node:fs';
import { boolean, option, string } from '@oclif/core/flags';
import { listFlags } from '../answer-view.ts';
import type { Answer } from '../base-command.ts';
import type { NeededService } from '../capability.ts';
import type { KnownLease } from '../ledger/ledger.ts';
import { type Everybodys, isStuck, type Listed, SORTS, type Sort, sorted } from '../list/listed.ts';
import { LOCAL } from '../profiles/profile.ts';
import { ServiceCommand } from '../service-command.ts';

const TIMEOUT = '5s';

export default class Ls extends ServiceCommand {
  static override readonly summary = 'List the leases that this machine holds, wherever they are';
  static override readonly description = [
    'Each as its service sees it now: all services are asked at the same time, and one that does not',
    'answer is shown with what this machine remembers. Of what exec holds it is told whether that is',
    'alive. What ran out before is left out, unless --expired asks for it. With --all it lists',
    'everybody’s leases of leasectl’s own service, embedded or served.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> ls',
    '<%= config.bin %> ls --stuck',
    '<%= config.bin %> ls --all --sort taken --json',
  ];
  static readonly service = 'any' satisfies NeededService;
  static readonly limits = {
    hosted: 'The service tells nothing of others’ leases: no --all.',
  };
  static override readonly flags = {
    all: boolean({
      description: 'List everybody’s leases, of leasectl’s own service',
      exclusive: ['offline'],
    }),
    stuck: boolean({ description: 'Only those of which something is not as it should be' }),
    expired: boolean({ description: 'Only those that ran out, as far as this machine knows' }),
    offline: boolean({ description: 'Ask no service: tell what this machine remembers' }),
    sort: option({
      description: 'What comes first: what ends first, was taken or renewed first, …',
      options: SORTS,
      default: 'end' as const,
    })(),
    ...listFlags,
    timeout: string({
      description: `How long to wait for a service that does not answer [default: ${TIMEOUT}]`,
      helpGroup: 'GLOBAL',
      helpValue: 'DURATION',
    }),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(Ls);
    const found = flags.all ? await this.#everybodys(flags) : await this.#own(flags);
    const isOwn = !flags.all;
    const wanted = flags.stuck ? found.filter((lease) => isStuck(lease, isOwn)) : found;
    if (found.length > 0 && wanted.length === 0) {
      this.notice('None of them is stuck, as far as can be told.');
    }
    const leases = sorted(wanted, flags.sort, isOwn);
    const { leasesData, renderLeases } = await import('../list/view.ts');
    return {
      data: leasesData(leases, isOwn, (text) => this.context.redactor.clean(text)),
      text: (style) => renderLeases(leases, isOwn, style),
    };
  }

  async #own(flags: LsFlags): Promise<readonly Listed[]> {
    const { profile } = flags;
    const known = (await this.#noted()).filter(
      ({ address }) => profile === undefined || address.profile === profile,
    );
    // One that there is not, and never was.
    if (profile !== undefined && known.length === 0 && profile !== LOCAL) {
      await this.context.profiles.get(profile);
    }
    const now = this.context.now();
    const wanted = known.filter(({ expiresAt }) => expiresAt <= now === Boolean(flags.expired));
    const { asNoted, asSeen } = await import('../list/held.ts');
    const patience = this.#patience(flags);
    const found = flags.offline
      ? await asNoted(this.context, wanted)
      : await asSeen(this.context, wanted, patience);
    this.#tellOfRest(known.length - wanted.length, wanted.length, flags);
    return found;
  }

  #tellOfRest(rest: number, listed: number, { expired }: LsFlags): void {
    if (expired) {
      if (listed === 0) this.notice('Nothing ran out, as far as this machine knows.');
      return;
    }
    const more = rest === 1 ? 'One more ran out' : `${rest} more ran out`;
    if (listed === 0) this.notice('This machine holds no lease, as far as it knows.');
    if (rest > 0 && !this.jsonEnabled()) this.notice(`${more}: leasectl ls --expired`);
  }

  async #noted(): Promise<readonly KnownLease[]> {
    const { lookAtAll } = await import('../ledger/look.ts');
    const { handles } = this.context.paths;
    // Looking makes none. One of an earlier leasectl has to be brought up to date.
    return lookAtAll(handles) ?? (existsSync(handles) ? (await this.context.ledger()).all() : []);
  }

  async #everybodys(flags: LsFlags): Promise<readonly Listed[]> {
    const [{ client, target }, { everybodys, MOST }] = await Promise.all([
      this.context.admin(this.#patience(flags)),
      import('../list/listed.ts'),
    ]);
    const state = flags.expired ? 'expired' : 'held';
    const { leases, hasMore }: Everybodys = await everybodys(
      this.context,
      client,
      target.profile,
      state,
    );
    if (hasMore)
      this.notice(`There are more than ${MOST}: leasectl admin leases list --state ${state}`);
    if (leases.length === 0)
      this.notice(flags.expired ? 'Nothing ran out.' : 'Nobody holds a lease.');
    return leases;
  }

  #patience(flags: LsFlags) {
    return this.connectOptions({ ...flags, timeout: flags.timeout ?? TIMEOUT });
  }
}

interface LsFlags {
  readonly profile?: string | undefined;
  readonly timeout?: string | undefined;
  readonly expired: boolean;
  readonly offline: boolean;
  readonly sort: Sort;
}
