/**
 * What somebody may have meant: of the words the nearest to what was typed, if no more than a third
 * of its characters would have to change. Nothing is meant by a word of one or two characters.
 *
 * @returns undefined when none is near, or when it is among them
 */
export async function nearest(
  typed: string,
  words: readonly string[],
): Promise<string | undefined> {
  const [best] = await allNearest(typed, words);
  return best;
}

/** As {@link nearest}, with all that are equally near, in the given order. */
export async function allNearest(typed: string, words: readonly string[]): Promise<string[]> {
  const { distance } = await import('fastest-levenshtein');
  const limit = Math.floor(typed.length / 3);
  // What is of another length is too far away, and may be too long to look at.
  const near = words
    .filter((word) => Math.abs(word.length - typed.length) <= limit)
    .map((word) => ({ word, steps: distance(typed, word) }));
  const fewest = Math.min(...near.map(({ steps }) => steps));
  if (fewest === 0 || fewest > limit) return [];
  return near.filter(({ steps }) => steps === fewest).map(({ word }) => word);
}
