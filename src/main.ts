import { fileURLToPath } from 'node:url';
import type { Interfaces } from '@oclif/core';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { Failure } from './domain/failure.ts';
import { processRedactor } from './process-redactor.ts';
import { reportAtOnce, reportFailure, type Voice } from './report.ts';
import { Terminal } from './terminal/terminal.ts';
import type { Commands } from './unknown-words.ts';

/**
 * Runs the command line of this process.
 *
 * @param packageUrl the directory with package.json and the manifest
 */
export async function main(packageUrl: URL): Promise<void> {
  const argv = process.argv.slice(2);
  const voice: Voice = {
    terminal: new Terminal(process),
    redactor: processRedactor,
    env: process.env,
    argv,
    isJson: argv.includes('--json'),
  };
  watchStreams(process, voice);
  settings.enableAutoTranspile = false;
  try {
    // Plugins of users are not a thing here: looking for them would take time, and warn.
    await run(argv, { root: fileURLToPath(packageUrl), userPlugins: false, devPlugins: false });
  } catch (error) {
    // Commands report their own failures: what comes here did not reach one.
    process.exitCode = await reportFailure(error, voice);
  }
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

function watchStreams(process: NodeJS.Process, voice: Voice): void {
  // Has to end the process at once: oclif listens too, and throws what is no broken pipe.
  process.stdout.on('error', (error) => {
    // `leasectl … | head -1` is no error: whoever read has read enough.
    const code = 'code' in error ? String(error.code) : error.message;
    if (code === 'EPIPE') process.exit();
    const hint = 'What was asked for may be done: look before you do it again.';
    const failure = new Failure('unavailable', `stdout cannot be written (${code}).`, { hint });
    process.exit(reportAtOnce(failure, voice));
  });
  // Nobody is left to be told; the exit code still tells.
  process.stderr.on('error', () => undefined);
}
