/** A word that may have been meant. */
interface Near {
  readonly word: string;
  /** How many characters are to be changed. */
  readonly steps: number;
}

/**
 * What somebody may have meant: of the words those that are nearest to what was typed, if no more
 * than a third of its characters would have to change. So a word of one or two characters means
 * nothing else.
 *
 * @returns all that are equally near, in the given order
 */
export async function nearest(typed: string, words: readonly string[]): Promise<string[]> {
  const near = await allNear(typed, words);
  const fewest = Math.min(...near.map(({ steps }) => steps));
  return near.filter(({ steps }) => steps === fewest).map(({ word }) => word);
}

/** As a question for a hint, e.g. `Did you mean prod?`; empty where nothing is near. */
export async function didYouMean(typed: string, words: readonly string[]): Promise<string> {
  return asQuestion(await nearest(typed, words));
}

/**
 * The commands that somebody may have meant whose words are none: one that is spelled in another
 * way, has its two words swapped, or its topic left out.
 *
 * @param typed the words, maybe with arguments at the end
 * @param commands words separated by spaces
 */
export async function nearestCommands(
  typed: readonly string[],
  commands: readonly string[],
): Promise<string[]> {
  const found: Near[] = [];
  for (const command of commands) {
    const words = command.split(' ');
    const ways = [
      { count: words.length, wanted: command, extra: 0 },
      ...(words.length === 2
        ? [{ count: 2, wanted: words.toReversed().join(' '), extra: 0.5 }]
        : []),
      ...words.slice(1).map((_, left) => ({
        count: words.length - left - 1,
        wanted: words.slice(left + 1).join(' '),
        extra: 0.5,
      })),
    ];
    for (const { count, wanted, extra } of ways) {
      if (typed.length < count) continue;
      const [near] = await allNear(typed.slice(0, count).join(' '), [wanted]);
      if (near) found.push({ word: command, steps: near.steps + extra });
    }
  }
  const fewest = Math.min(...found.map(({ steps }) => steps));
  const best = found.filter(({ steps }) => steps === fewest).map(({ word }) => word);
  return [...new Set(best)];
}

/** Sentences of a hint, some of which may be empty. */
export function sentences(...parts: readonly string[]): string {
  return parts.filter(Boolean).join(' ');
}

/** More would be no help. */
const MOST = 3;

export function asQuestion(meant: readonly string[]): string {
  const [last, ...others] = meant.slice(0, MOST).toReversed();
  if (last === undefined) return '';
  const list = others.length > 0 ? `${others.toReversed().join(', ')} or ${last}` : last;
  return `Did you mean ${list}?`;
}

async function allNear(typed: string, words: readonly string[]): Promise<Near[]> {
  const { distance } = await import('fastest-levenshtein');
  const limit = Math.floor(typed.length / 3);
  return (
    words
      // Of another length it is too far away, and may be too long to look at.
      .filter((word) => Math.abs(word.length - typed.length) <= limit)
      .map((word) => ({ word, steps: distance(typed, word) }))
      .filter(({ steps }) => steps <= limit)
  );
}
