import { string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { SCOPES } from './engine/access.ts';

/** What somebody may do who is to be added. */
export const scopeFlag = () =>
  string({
    description: `What it may do, separated by commas: ${SCOPES.join(', ')}`,
    helpValue: 'LIST',
    lists: SCOPES,
    required: true,
    multiple: true,
    multipleNonGreedy: true,
  });

/**
 * As the service takes them, in the order of all.
 *
 * @throws Failure `usage` when there is none of this name, or none at all
 */
export function parseScopes(lists: readonly string[]): string {
  const names = lists.flatMap((list) => list.split(/[\s,]+/)).filter(Boolean);
  const unknown = names.find((name) => !SCOPES.some((scope) => scope === name));
  if (unknown === undefined && names.length > 0) {
    return SCOPES.filter((scope) => names.includes(scope)).join(' ');
  }
  throw new Failure('usage', `--scope knows no ${JSON.stringify(unknown ?? '')}.`, {
    hint: `There are ${SCOPES.join(', ')}.`,
  });
}

/**
 * @param what it is a name for, with its article
 * @throws Failure `usage` unless it is one
 */
export function checkName(name: string, what: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(name)) return name;
  throw new Failure('usage', `${JSON.stringify(name)} is no name for ${what}.`, {
    hint: 'A name has 1 to 64 visible ASCII characters, without spaces.',
  });
}
