import { boolean } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/shell.ts';
import type { Scope } from '../engine/access.ts';
import { KeyCommand } from '../key-command.ts';
import { required } from '../positional.ts';
import { renderResult } from '../render-result.ts';
import { visibleJson } from '../terminal/visible.ts';

export default class Result extends KeyCommand {
  static override readonly scopes: readonly Scope[] = ['keys:read'];
  static override readonly summary = 'Show how the work on a key ended, and the result it stored';
  static override readonly description =
    'Exit code 9 means that the work is still in progress, 3 that nothing is known of the key.';
  static override readonly examples = [
    '<%= config.bin %> result hello',
    '<%= config.bin %> result hello --raw',
  ];
  static override readonly args = {
    key: required('Key to look at', 'key'),
  };
  static override readonly flags = {
    raw: boolean({
      description: 'Print only the stored result, as JSON on one line; null when there is none',
      exclusive: ['json', 'query', 'field'],
    }),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Result);
    const { client, target, addressOf } = await this.connect(flags);
    const answer = await this.askAbout(addressOf(args.key), () => client.result(args.key));
    const isPending = answer.status === 'in_progress';
    return {
      data: answer,
      text: (style) => {
        if (!flags.raw) return renderResult(answer, target.profile, style);
        return isPending ? '' : visibleJson(answer.result ?? null, 0);
      },
      failure: isPending ? pending(args.key) : undefined,
    };
  }
}

function pending(key: string): Failure {
  return new Failure('pending', `The work on ${key} is still in progress.`, {
    hint: `See how long its lease lasts: leasectl status ${quoted(key)}`,
    service: 'onceonly',
  });
}
