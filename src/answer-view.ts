import { boolean, string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { isTooDeep } from './domain/json.ts';
import { schemaOf, sourceOf } from './http/exchange.ts';
import { laidOut } from './output/json-text.ts';
import type { Layout } from './output/style.ts';
import { visibleJson, visibleSource } from './terminal/visible.ts';

/** What every command lets its user choose. */
export const colorFlags = {
  'no-color': boolean({ description: 'Print without colors', helpGroup: 'GLOBAL' }),
};

/** For commands whose answer is a list. */
export const listFlags = {
  'no-header': boolean({ description: 'Leave out the line that names the columns' }),
};

/** What every command that prints an answer lets its user choose. */
export const answerFlags = {
  field: string({
    description: 'Print only this field of the answer, bare',
    helpGroup: 'GLOBAL',
    helpValue: 'NAME',
    exclusive: ['json', 'query'],
  }),
  query: string({
    description: 'Print only what this JMESPath expression makes of the answer',
    helpGroup: 'GLOBAL',
    helpValue: 'EXPR',
    exclusive: ['json'],
  }),
  utc: boolean({ description: 'Show times in UTC', helpGroup: 'GLOBAL' }),
  wide: boolean({ description: 'Do not cut to the width of the terminal', helpGroup: 'GLOBAL' }),
};

/** What a program gets of an answer. */
export interface Choice {
  /**
   * What is printed.
   *
   * @param isInteractive whether a person reads it
   * @throws Failure when it is not in the answer
   */
  readonly of: (data: unknown, isInteractive: boolean) => Promise<string>;
  /** What is printed where that cannot be. */
  readonly nothing: string;
}

export interface AnswerView {
  readonly layout: Layout;
  /** Undefined for people. */
  readonly choice: Choice | undefined;
}

/** @throws Failure `usage` when the query is no expression */
export async function readView(
  flags: Readonly<Record<string, unknown>>,
  isJson: boolean,
): Promise<AnswerView> {
  const layout: Layout = {
    isWide: flags['wide'] === true,
    isUtc: flags['utc'] === true,
    hasHeader: flags['no-header'] !== true,
  };
  const { query, field } = flags;
  if (isJson) return { layout, choice: WHOLE };
  if (typeof query === 'string') return { layout, choice: await chosenByQuery(query) };
  if (typeof field === 'string') return { layout, choice: chosenByField(field) };
  return { layout, choice: undefined };
}

/** For a person with indents; for a program the very text that the service answered. */
const WHOLE: Choice = {
  of: async (data, isInteractive) => {
    const text = textOf(data);
    // What is nested for ever would be indented for ever.
    const isReadable = isInteractive && !isTooDeep(text);
    return visibleSource(isReadable ? laidOut(text, 2) : text);
  },
  nothing: '',
};

async function chosenByQuery(expression: string): Promise<Choice> {
  const { compileQuery } = await import('./output/query.ts');
  const query = await compileQuery(expression);
  return {
    of: async (data, isInteractive) =>
      `${visibleJson(query(shallowTextOf(data)), isInteractive ? 2 : 0)}\n`,
    nothing: 'null\n',
  };
}

function chosenByField(name: string): Choice {
  return {
    of: async (data) => {
      const [{ fieldOf }, { fieldNames }] = await Promise.all([
        import('./output/field.ts'),
        import('./http/field-names.ts'),
      ]);
      const values = await fieldOf(shallowTextOf(data), name, fieldNames(schemaOf(data), data));
      return values.map((value) => `${value}\n`).join('');
    },
    nothing: '\n',
  };
}

function textOf(data: unknown): string {
  return sourceOf(data) ?? JSON.stringify(data) ?? 'null';
}

function shallowTextOf(data: unknown): string {
  const text = textOf(data);
  if (!isTooDeep(text)) return text;
  throw new Failure('bad_response', 'The answer is nested too deeply to look into it.', {
    hint: 'See the whole answer with --json.',
  });
}
