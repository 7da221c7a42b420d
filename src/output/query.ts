import { Failure } from '../domain/failure.ts';
import { isJsonObject } from '../domain/json.ts';

type JmesPath = typeof import('@jmespath-community/jmespath');

/**
 * Compiles a JMESPath expression.
 *
 * @returns what the expression makes of a JSON text; throws Failure `usage` when it does not fit that
 * @throws Failure `usage` with the place where the expression is wrong
 */
export async function compileQuery(expression: string): Promise<(json: string) => unknown> {
  const jmesPath = await import('@jmespath-community/jmespath');
  const tree = compiled(expression, jmesPath);
  const unknown = functionsIn(tree).find((name) => !jmesPath.isRegistered(name));
  if (unknown !== undefined) {
    throw new Failure('usage', `--query: JMESPath has no function ${unknown}().`, { hint: HINT });
  }
  return (json) => {
    try {
      return jmesPath.TreeInterpreter.search(tree, JSON.parse(json));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Failure('usage', `--query does not fit the answer: ${why.replace(/\.$/, '')}.`, {
        hint: 'What each function takes: https://jmespath.site',
        cause: error,
      });
    }
  };
}

/** To find a place takes the more time, the longer an expression is: this many characters do no harm. */
const LONGEST_SEARCHED = 4_000;
const HINT = "For example --query 'status', or --query '[].job_id'; see https://jmespath.site";

function compiled(expression: string, jmesPath: JmesPath) {
  try {
    return jmesPath.compile(expression);
  } catch (error) {
    const place = placeOf(expression, jmesPath);
    const message = `--query is no JMESPath expression: it ${wordsFor(expression, place)}.`;
    throw new Failure('usage', message, { hint: HINT, cause: error });
  }
}

function wordsFor(expression: string, place: number | undefined): string {
  if (place === undefined) return 'is wrong somewhere';
  if (place >= expression.trimEnd().length) return 'ends too early';
  const count = [...expression.slice(0, place)].length;
  return `goes wrong at character ${count + 1}, ${JSON.stringify(cut(expression.slice(place)))}`;
}

/** Where a wrong expression goes wrong, which the parser does not tell: an index into it. */
function placeOf(expression: string, { compile, tokenize }: JmesPath): number | undefined {
  if (expression.length > LONGEST_SEARCHED) return undefined;
  const begins = new Set(beginsOf(expression, tokenize));
  const last = Math.max(...begins);
  if (complaint(() => tokenize(expression)) !== undefined) return last;
  const said = complaint(() => compile(expression));
  // Where more is expected, another word makes it wrong in another way.
  if (complaint(() => compile(`${expression} )`)) !== said) return expression.length;
  // The shortest part that is wrong in the same way ends with the word that is wrong.
  const places = [...begins].sort((a, b) => a - b);
  const ends = [...places.slice(1), expression.length];
  const isWrong = (end: number) => complaint(() => compile(expression.slice(0, end))) === said;
  return places[ends.findIndex(isWrong)] ?? 0;
}

/** Where the words of an expression begin, up to the first that is none. */
function beginsOf(expression: string, tokenize: JmesPath['tokenize']): number[] {
  for (let end = expression.length; end > 0; end -= 1) {
    const part = expression.slice(0, end);
    if (complaint(() => tokenize(part)) !== undefined) continue;
    const begins = tokenize(part).map(({ start }) => start);
    const rest = expression.length - expression.slice(end).trimStart().length;
    return end < expression.length ? [...begins, rest] : begins;
  }
  return [0];
}

function complaint(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function functionsIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(functionsIn);
  if (!isJsonObject(node) || node['type'] === 'Literal') return [];
  const own = node['type'] === 'Function' ? [String(node['name'])] : [];
  return [...own, ...Object.values(node).flatMap(functionsIn)];
}

function cut(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}
