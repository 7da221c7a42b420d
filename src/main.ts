import { format } from 'node:util';
import type { Interfaces } from '@oclif/core';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { ux } from '@oclif/core/ux';
import { Failure } from './domain/failure.ts';
import { OwnPlugin, type Program } from './own-plugin.ts';
import { processVoice } from './process-voice.ts';
import { reportAtOnce, reportFailure } from './report.ts';
import { opened } from './sqlite/opened.ts';
import type { Commands } from './unknown-words.ts';

/** Columns that oclif's help has at least. */
const NARROWEST = 40;

/**
 * Runs the command line of this process.
 *
 * @param packageDirectory the directory with package.json and the manifest
 * @param program the commands
 * @param command the one that is run; `help` or `version` where it is none
 */
export async function main(
  packageDirectory: string,
  program: Program,
  command: string,
): Promise<void> {
  // What oclif prints by itself: help, and the version.
  Object.assign(ux, {
    stdout: (text: string | string[] = '', ...more: string[]) => {
      const isPlain = typeof text === 'string' && more.length === 0;
      processVoice.terminal.writeOut(`${isPlain ? text : format(...[text].flat(), ...more)}\n`);
    },
  });
  // To compile what checks a value takes longer than to check it once; a service checks many.
  if (command !== 'serve') {
    Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
  }
  settings.columns = Math.max(NARROWEST, processVoice.terminal.columns('stdout'));
  settings.enableAutoTranspile = false;
  let isOver = false;
  process.on('beforeExit', () => {
    if (!isOver) tellUnfinished();
    isOver = true;
  });
  try {
    const plugin = new OwnPlugin(packageDirectory, program, command);
    // Plugins of users are not a thing here: looking for them would take time, and warn.
    const others = { userPlugins: false, devPlugins: false };
    const plugins = new Map([[plugin.name, plugin]]);
    await run([...processVoice.argv], { root: plugin.root, plugins, ...others });
  } catch (error) {
    // Commands report their own failures: what comes here did not reach one.
    process.exitCode = await reportFailure(error, processVoice);
  } finally {
    isOver = true;
    // By now all others listen. To take V8's heap apart takes time, and only SQLite needs it.
    if (opened.size === 0) process.on('exit', () => process.exit());
  }
}

/** Nothing is left that could happen, and the command waits for it: else that would be a success. */
function tellUnfinished(): void {
  const error = new Error('the command waits for what cannot happen');
  process.exitCode = reportAtOnce(error, processVoice);
}

/** oclif's hook before anything else. It shows a topic's help for whatever follows the topic. */
export async function flagsComeLast({ id, argv, config }: InitContext): Promise<void> {
  if (id === undefined || config.findCommand(id) || !config.findTopic(id)) return;
  const [first = ''] = argv;
  const command = argv.find((word) => !word.startsWith('-'));
  if (!first.startsWith('-') || /^(-h|--help)$/.test(first) || command === undefined) return;
  // oclif swallows what a hook throws, unless it has an exit code of oclif's.
  throw Object.assign(flagsFirst(`${id.replaceAll(':', ' ')} ${command}`), { oclif: { exit: 2 } });
}

interface InitContext {
  readonly id: string | undefined;
  readonly argv: readonly string[];
  readonly config: Pick<Interfaces.Config, 'findCommand' | 'findTopic'>;
}

function flagsFirst(command: string): Failure {
  return new Failure('usage', 'Flags come after the command.', {
    hint: `For example leasectl ${command} --json`,
  });
}

/** As other programs are asked for it. */
function askedForVersion(word: string): Failure {
  const what = word.startsWith('-') ? `flag ${word}` : `command ${JSON.stringify(word)}`;
  return new Failure('usage', `There is no ${what}.`, {
    hint: 'For the version: leasectl --version',
  });
}

/** oclif's hook for words that are no command. */
export async function commandNotFound({
  id,
  config,
}: {
  readonly id: string;
  readonly config: Commands;
}): Promise<never> {
  if (/^(version|-v|-V)$/.test(id)) throw askedForVersion(id);
  if (id.startsWith('-')) throw flagsFirst('status KEY');
  const { unknownCommand } = await import('./unknown-words.ts');
  throw await unknownCommand(id.split(':'), config);
}
