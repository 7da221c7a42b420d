import { boolean, string } from '@oclif/core/flags';
import type { NeededService } from './capability.ts';
import type { Connection } from './connect.ts';
import { Failure } from './domain/failure.ts';
import { sentences } from './domain/nearest.ts';
import { quoted } from './domain/shell.ts';
import { readGivenHandle } from './given-handle.ts';
import { patiently } from './patience.ts';
import { required } from './positional.ts';
import { ServiceCommand } from './service-command.ts';
import type { RetaiaClient } from './services/retaia/client.ts';

export type JobConnection = Connection<RetaiaClient>;

/** What proves that this is the job's holder. */
export interface Lock {
  readonly token: string;
  readonly fencingToken: number | undefined;
  readonly jobType: string | undefined;
  readonly isFromLedger: boolean;
}

/** The flags that name a lock, as they were given. */
export interface LockFlags {
  readonly 'lock-token-stdin': boolean;
  readonly 'handle-file'?: string | undefined;
  readonly 'fencing-token'?: string | undefined;
}

/** What the commands on jobs share: the connection, and the locks of this machine. */
export abstract class JobCommand extends ServiceCommand {
  static readonly service = 'retaia' satisfies NeededService;
  // oclif sees a command's own args and flags only: each has to name these.
  static readonly holderArgs = {
    job: required('Id of a job that you claimed', 'held-job'),
  };
  static readonly lockFlags = {
    'lock-token-stdin': boolean({
      description: 'Read the lock token from stdin, instead of what this machine remembers',
      exclusive: ['handle-file'],
    }),
    'handle-file': string({
      description:
        'Read the lock token from a file (- for stdin), alone or as what jobs claim --json printed',
      helpValue: 'FILE|-',
    }),
    'fencing-token': string({
      description: 'Fencing token to send with it',
      helpValue: 'NUMBER',
    }),
  };

  protected connect(
    flags: Parameters<ServiceCommand['connectOptions']>[0],
  ): Promise<JobConnection> {
    return this.context.retaia(this.connectOptions(flags));
  }

  /**
   * The lock to show for a job: the given one, else the one this machine remembers, also when it
   * should have run out: the service decides that.
   *
   * @throws Failure `usage` when there is neither
   */
  protected async lockOf(id: string, flags: LockFlags, connection: JobConnection): Promise<Lock> {
    const source = {
      stdinFlag: '--lock-token-stdin',
      isOnStdin: flags['lock-token-stdin'],
      file: flags['handle-file'],
      field: 'lock_token',
    };
    const given = await readGivenHandle(source, this.context);
    const shown = parseFencingToken(flags['fencing-token']);
    const held = (await this.context.ledger()).find(connection.addressOf(id));
    if (given) {
      const { job_id, job_type, fencing_token } = given.answer;
      if (job_id !== undefined && job_id !== id) {
        throw new Failure('usage', `The handle that was given is of job ${String(job_id)}.`, {
          hint: `Give that job's id, or the handle of ${id}.`,
        });
      }
      const told = typeof fencing_token === 'number' ? fencing_token : undefined;
      // What a heartbeat brought since then is known here, and not to the file.
      const isKnown = held?.handle === given.handle;
      const newest = isKnown ? Math.max(told ?? 0, held.fencingToken ?? 0) || undefined : told;
      return {
        token: given.handle,
        fencingToken: shown ?? newest,
        jobType: typeof job_type === 'string' ? job_type : isKnown ? held.jobType : undefined,
        isFromLedger: isKnown && shown === undefined,
      };
    }
    if (!held) throw await this.#notHeld(id, connection);
    return {
      token: this.context.redactor.add(held.handle),
      fencingToken: shown ?? held.fencingToken,
      jobType: held.jobType,
      isFromLedger: shown === undefined,
    };
  }

  /**
   * Makes a call as a job's holder. Where a process beside this one got a new fencing token from a
   * heartbeat in the meantime, the call is made again with that.
   */
  protected async asHolder<T>(
    id: string,
    flags: LockFlags,
    connection: JobConnection,
    call: (lock: Lock) => Promise<T>,
  ): Promise<T> {
    let lock = await this.lockOf(id, flags, connection);
    for (;;) {
      try {
        return await this.askAbout(connection.addressOf(id), () => call(lock));
      } catch (error) {
        const next =
          isStale(error) && lock.isFromLedger && (await this.#laterLock(id, lock, connection));
        if (!next) throw error;
        lock = next;
      }
    }
  }

  /** What the ledger has in place of a lock. The other process may be about to note it. */
  async #laterLock(id: string, lock: Lock, connection: JobConnection): Promise<Lock | undefined> {
    const ledger = await this.context.ledger();
    return patiently(() => {
      const held = ledger.find(connection.addressOf(id));
      // Another handle is of another lease: this one is lost.
      const isSame = held?.handle === lock.token;
      if (!isSame || held.fencingToken === lock.fencingToken) return undefined;
      return { ...lock, fencingToken: held.fencingToken };
    });
  }

  async #notHeld(id: string, { addressOf }: JobConnection): Promise<Failure> {
    const { profile } = addressOf(id);
    return new Failure('usage', `This machine holds no lease on job ${id} (profile ${profile}).`, {
      hint: sentences(
        `If it was not ended already: claim it with leasectl jobs claim ${quoted(id)}, name another --profile, or give its lock token with --handle-file or --lock-token-stdin.`,
        await this.didYouMean(addressOf(id)),
      ),
    });
  }
}

/** Whether the service says that another lock token, or a newer fencing token, is in force. */
export function isStale(error: unknown): boolean {
  return error instanceof Failure && error.reason === 'STALE_LOCK_TOKEN';
}

function parseFencingToken(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number > 0) return number;
  throw new Failure('usage', `--fencing-token is no fencing token: ${JSON.stringify(text)}.`, {
    hint: 'It is a whole number from 1, as claim and heartbeat tell it.',
  });
}
