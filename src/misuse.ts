import { Failure } from './domain/failure.ts';
import { asQuestion, nearest, sentences } from './domain/nearest.ts';
import { seeHelp, type Usage, unknownFlagsIn, usageFailure } from './output/usage.ts';

/** What other programs call a flag of ours. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  '-o': '--json',
  '--output': '--json',
  '--format': '--json',
  '-q': '--query',
};

/** What a command line is no use of, as a failure; whatever else was thrown comes back as it is. */
export async function misuse(error: unknown, usage: Usage): Promise<unknown> {
  if (!(error instanceof Error && 'oclif' in error)) return error;
  const typed = unknownFlagsIn(error);
  const failure = usageFailure(error, usage);
  if (typed.length === 0) return failure;
  const known = usage.flags.map((name) => `--${name}`);
  const meant = (await Promise.all(typed.map((flag) => flagsMeant(flag, known)))).flat();
  const isSecret = meant.some((flag) => flag.endsWith('-stdin'));
  const warning = isSecret ? 'An argument could be seen by others.' : '';
  const hint = sentences(asQuestion([...new Set(meant)]), warning, seeHelp(usage));
  return new Failure(failure.code, failure.message, { hint, cause: error });
}

/** The flags that go on where it ends come first: they are what it is short for. */
async function flagsMeant(typed: string, known: readonly string[]): Promise<string[]> {
  const equal = known.filter((flag) => flag === ELSEWHERE[typed]);
  if (equal.length > 0) return equal;
  const isBeginning = typed.length >= SHORTEST_BEGINNING;
  const longer = known.filter((flag) => isBeginning && flag.startsWith(typed));
  return longer.length > 0 ? longer : nearest(typed, known);
}

/** With its dashes: shorter ones are the beginning of anything. */
const SHORTEST_BEGINNING = 5;
