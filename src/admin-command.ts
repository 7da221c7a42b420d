import { existsSync } from 'node:fs';
import { custom, string } from '@oclif/core/flags';
import type { NeededService } from './capability.ts';
import type { Connection } from './connect.ts';
import { Failure } from './domain/failure.ts';
import type { Scope } from './engine/access.ts';
import type { Kind } from './engine/lease.ts';
import { isPostgres } from './open-store.ts';
import { variable } from './profiles/environment.ts';
import { dryRunFlags, ServiceCommand } from './service-command.ts';
import type { AdminClient } from './services/admin/client.ts';

/** What says it where nothing else does; its password is in no list of processes. */
const DATABASE_VARIABLE = 'LEASECTL_DATABASE';

/** Names the database directly, beside what a profile leads to. */
const databaseFlags = {
  database: string({
    description:
      'Work on this database itself, a file or postgres://…, instead of asking a service [default: that of LEASECTL_DATABASE]',
    helpGroup: 'GLOBAL',
    helpValue: 'FILE|URL',
    exclusive: ['profile'],
  }),
  namespace: string({
    description:
      'Namespace in the database; a service that is asked takes that of the token [default: default]',
    helpGroup: 'GLOBAL',
    helpValue: 'NAME',
  }),
};

/** What the commands that administer leasectl's own service share. */
export abstract class AdminCommand extends ServiceCommand {
  static readonly service = 'leasectl' satisfies NeededService;
  static readonly scopes: readonly Scope[] = ['admin'];
  static override readonly baseFlags = { ...ServiceCommand.baseFlags, ...databaseFlags };

  /** Whether the command is of use with an empty database: where there is none, it makes one. */
  protected readonly makesDatabase: boolean = false;

  protected connect(flags: AdminFlags): Promise<Connection<AdminClient>> {
    const { namespace } = flags;
    if (namespace !== undefined && !/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(namespace)) {
      throw new Failure('usage', `${JSON.stringify(namespace)} is no name of a namespace.`, {
        hint: 'It has 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first.',
      });
    }
    const database = this.#databaseOf(flags);
    return this.context.admin({ ...this.connectOptions(flags), database, namespace });
  }

  /** @throws Failure `usage` for a file that is not there, where one that is empty is no use */
  #databaseOf({ database: named, profile }: AdminFlags): string | undefined {
    const database =
      named ?? (profile === undefined ? variable(this.context.env, DATABASE_VARIABLE) : undefined);
    if (database === undefined || isPostgres(database)) return database;
    if (this.makesDatabase || existsSync(database)) return database;
    const where = named === undefined ? DATABASE_VARIABLE : '--database';
    throw new Failure('usage', `${where}: there is no database ${database}.`, {
      hint: 'Check the path. What is added makes a new one: leasectl admin tokens add',
    });
  }
}

type AdminFlags = Parameters<ServiceCommand['connectOptions']>[0] & {
  readonly database?: string | undefined;
  readonly namespace?: string | undefined;
};

/** The flags of those that change something. */
export const ADMIN_CHANGING_FLAGS = { ...AdminCommand.baseFlags, ...dryRunFlags };

const KIND_OPTIONS = ['key', 'job', 'runner-job'] as const;
type KindOption = (typeof KIND_OPTIONS)[number];

/** As answers spell it: nobody who copies it from there is to be corrected, nor is it offered. */
const KINDS_TAKEN = Object.assign([...KIND_OPTIONS], {
  includes: (word: string) => word === 'runner_job' || KIND_OPTIONS.some((kind) => kind === word),
});
export const kindFlag = (description: string) =>
  custom<KindOption>({
    description,
    options: KINDS_TAKEN,
    helpValue: '(key|job|runner-job)',
    parse: async (word) => KIND_OPTIONS.find((kind) => kind === word) ?? 'runner-job',
  })();

/** As the service names it. */
export function kindOf(flag: KindOption): Kind;
export function kindOf(flag: KindOption | undefined): Kind | undefined;
export function kindOf(flag: KindOption | undefined): Kind | undefined {
  return flag === 'runner-job' ? 'runner_job' : flag;
}

/** The kind that is named, or else that of which an id looks like one. */
export function kindOfId(id: string, flag: KindOption | undefined): Kind {
  if (flag !== undefined) return kindOf(flag);
  const [, prefix] = /^(r?job)_[0-9a-z]{18,}$/.exec(id) ?? [];
  if (prefix === undefined) return 'key';
  return prefix === 'job' ? 'job' : 'runner_job';
}
