import type { Shell } from './answer.ts';
import bash from './scripts/leasectl.bash';
import fish from './scripts/leasectl.fish';
import zsh from './scripts/leasectl.zsh';

const SCRIPTS: Readonly<Record<Shell, string>> = { bash, zsh, fish };

/** What makes a shell ask `leasectl __complete` when TAB is pressed. */
export function scriptOf(shell: Shell): string {
  return SCRIPTS[shell];
}
