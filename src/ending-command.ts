import { string } from '@oclif/core/flags';
import type { Answer } from './base-command.ts';
import { isJsonObject, type JsonObject } from './domain/json.ts';
import type { Scope } from './engine/access.ts';
import { JobCommand, type JobConnection, type LockFlags } from './job-command.ts';
import { endJob, type JobEnding } from './job-ending.ts';
import { renderDetails } from './output/table.ts';
import { CHANGING_FLAGS } from './service-command.ts';

/** How a command ends the lease on a job. */
export interface EndingOptions<Body extends JsonObject>
  extends Pick<JobEnding<Body>, 'way' | 'bodyOf' | 'send'> {
  readonly id: string;
  readonly flags: LockFlags & { readonly 'idempotency-key'?: string | undefined };
  readonly connection: JobConnection;
  /** What became of the job, where the service's answer does not say. */
  readonly status: string;
}

/** What `jobs submit` and `jobs fail` share: a request that is made once, however often it is sent. */
export abstract class EndingCommand extends JobCommand {
  static override readonly baseFlags = CHANGING_FLAGS;
  static readonly scopes: readonly Scope[] = ['jobs:submit'];
  static readonly endingFlags = {
    ...JobCommand.lockFlags,
    'idempotency-key': string({
      description:
        'Key that makes a repetition known [default: a new one, kept until the answer is known]',
      helpValue: 'KEY',
    }),
  };

  protected async end<Body extends JsonObject>(options: EndingOptions<Body>): Promise<Answer> {
    const { id, connection, flags, status } = options;
    const ending: JobEnding<Body> = {
      ...options,
      address: connection.addressOf(id),
      idempotencyKey: flags['idempotency-key'],
    };
    const ports = { books: this.books, newIdempotencyKey: () => this.context.newUuid() };
    const answer = await this.asHolder(id, flags, connection, (lock) =>
      endJob(ending, lock, ports),
    );
    const told = isJsonObject(answer) ? answer['status'] : undefined;
    return {
      data: answer ?? null,
      text: (style) =>
        renderDetails(
          [
            ['Job', id],
            ['Status', typeof told === 'string' ? told : status],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}
