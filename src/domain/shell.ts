import { ACTING } from './acting.ts';

/** A word as a shell takes it literally, for commands that a hint offers. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (word.search(ACTING) < 0) return `'${word.replaceAll("'", "'\\''")}'`;
  // As bash, zsh and ksh have it: what cannot be seen cannot be typed, either.
  return `$'${word.replace(/[\\']/g, '\\$&').replace(ACTING, escaped)}'`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
