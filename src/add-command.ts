import { string } from '@oclif/core/flags';
import type * as z from 'zod/mini';
import { AdminCommand } from './admin-command.ts';
import { parseCount } from './count.ts';
import { parseDuration } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';
import type { JsonObject } from './domain/json.ts';
import { fits } from './http/schema.ts';
import { parseObject } from './json-input.ts';
import type { AddRequest } from './services/admin/wire.ts';

const DEFAULT_TTL = '2m';

/** What those of the administration share that add work. */
export abstract class AddCommand extends AdminCommand {
  // oclif sees a command's own flags only: each has to name these.
  static readonly addFlags = {
    count: string({
      description: 'How many like ones [default: 1]',
      helpValue: 'NUMBER',
      exclusive: ['file'],
    }),
    file: string({
      char: 'f',
      description: 'Read them from a file, one JSON object on each line; - is stdin',
      helpValue: 'FILE|-',
    }),
    ttl: string({
      description: `How long a lease on them lasts, 1s to 30d [default: ${DEFAULT_TTL}]`,
      helpValue: 'DURATION',
    }),
  };

  protected override readonly makesDatabase = true;

  /**
   * What is to be added: each line of the file, or the one that the flags describe, so often.
   *
   * @throws Failure `usage` when the flags describe one and there is a file, too, or neither
   */
  protected async requestOf<T>(
    flags: {
      readonly count?: string | undefined;
      readonly file?: string | undefined;
      readonly ttl?: string | undefined;
    },
    schema: z.ZodMiniType<T>,
    described: JsonObject | undefined,
  ): Promise<AddRequest<T>> {
    const { count, file } = flags;
    if ((file === undefined) === (described === undefined)) {
      throw new Failure('usage', 'Give either --file, or flags that describe what to add.', {
        hint: `See an example of each: leasectl ${String(this.id).replaceAll(':', ' ')} --help`,
      });
    }
    const ttl = parseDuration(flags.ttl ?? DEFAULT_TTL, '--ttl');
    if (described !== undefined) {
      if (!fits(schema, described)) throw await misfit('What the flags say', schema, described);
      const often = count === undefined ? {} : { count: parseCount(count, '--count') };
      return { ttl, ...often, jobs: [described] };
    }
    const { terminal } = this.context;
    const text = await terminal.readValue(file === '-' ? '-' : `@${file}`, '--file');
    return { ttl, jobs: await this.#parseLines(text, file === '-' ? 'stdin' : `${file}`, schema) };
  }

  /**
   * Reads NDJSON: an object on every line that is not empty.
   *
   * @param where what the text came from, for the message
   * @throws Failure `usage` naming the first line that does not fit, and why
   */
  async #parseLines<T>(text: string, where: string, schema: z.ZodMiniType<T>): Promise<T[]> {
    const parsed: T[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '') continue;
      const place = `${where}, line ${index + 1}`;
      const value = this.withSecrets(parseObject(line, place));
      if (!fits(schema, value)) throw await misfit(place, schema, value);
      parsed.push(value);
    }
    if (parsed.length > 0) return parsed;
    throw new Failure('usage', `${where} has no lines.`, {
      hint: 'Give one JSON object on each line.',
    });
  }
}

async function misfit(where: string, schema: z.ZodMiniType, value: JsonObject): Promise<Failure> {
  const { explainIssues } = await import('./http/issues.ts');
  const issues = explainIssues(schema, value)
    .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
    .join('; ');
  return new Failure('usage', `${where}: ${issues}.`, {
    hint: 'Mend that and give all of it again: nothing was added.',
  });
}
