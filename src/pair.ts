import { Failure } from './domain/failure.ts';

/**
 * Reads a flag's `NAME=VALUE`.
 *
 * @throws Failure `usage` without a name or a `=`
 */
export function parsePair(pair: string, flag: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
  throw new Failure('usage', `${flag} is no NAME=VALUE: ${JSON.stringify(pair)}.`, {
    hint: `For example ${flag} ticket=TCK-123`,
  });
}
