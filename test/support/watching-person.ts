import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './exec-host.ts';
import type { Person } from './person.ts';
import { openTerminal } from './person.ts';
import type { Sandbox } from './sandbox.ts';

/** A person who watches. */
export interface Watching extends Person {
  /** Of leasectl. */
  readonly pid: number;
  /** Waits until it is left: the shell's prompt is there, and the screen from before. */
  leaves(): Promise<number>;
  /** What the shell says of the terminal's modes now. */
  modes(): Promise<string>;
}

/** What was on the screen before. */
export const BEFORE = 'what was here before';

/**
 * @param words behind `leasectl watch`
 * @param options what stands before it, and what a script without job control does after it
 */
export async function startWatching(
  sandbox: Sandbox,
  words: string,
  { columns = 80, env = '', after = '' } = {},
): Promise<Watching> {
  const person = await openTerminal(sandbox, columns);
  const file = join(sandbox.directory, 'pid');
  person.type(`echo '${BEFORE}'; stty -g > modes`);
  await person.sees(/\n\$$/);
  writeFileSync(join(sandbox.directory, 'watch.sh'), 'echo $$ > pid; exec leasectl watch "$@"\n');
  const line = `sh watch.sh ${words}`;
  person.type(after ? `sh -c '${line}; ${after}'` : `${env} ${line}`);
  const pid = Number(await until(() => textOf(file), 'its process'));
  const screen = async () => (await person.screen()).replace(/ +$/gm, '');
  const sees = async (pattern: RegExp) => {
    const find = async () => (await screen()).match(pattern) ?? undefined;
    return until(find, `${pattern}`).catch(async (error: Error) => {
      throw new Error(`${error.message}; there is:\n${await screen()}`);
    });
  };
  return {
    ...person,
    pid,
    screen,
    sees,
    leaves: async () => {
      // Where it was killed the shell may have been quicker than the one who brings the screen back.
      await person.sees(new RegExp(`^[\\s\\S]*${BEFORE}\\n`));
      return person.code();
    },
    modes: async () => {
      person.type('clear; stty -g | cmp - modes && echo sa""me');
      const [said] = await person.sees(/same|differ/);
      return said;
    },
  };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
