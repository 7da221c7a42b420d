import { fileURLToPath } from 'node:url';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { FAILURES, Failure } from './domain/failure.ts';
import { Redactor } from './domain/redactor.ts';
import { reportFailure } from './report.ts';
import { Terminal } from './terminal/terminal.ts';

/**
 * Runs the command line of this process.
 *
 * @param packageUrl the directory with package.json and the manifest
 */
export async function main(packageUrl: URL): Promise<void> {
  watchStreams(process);
  settings.enableAutoTranspile = false;
  const argv = process.argv.slice(2);
  try {
    // Plugins of users are not a thing here: looking for them would take time, and warn.
    await run(argv, { root: fileURLToPath(packageUrl), userPlugins: false, devPlugins: false });
  } catch (error) {
    // Commands report their own failures: what comes here did not reach one.
    process.exitCode = await reportFailure(error, {
      terminal: new Terminal(process),
      redactor: new Redactor(),
      env: process.env,
      argv,
      isJson: argv.includes('--json'),
    });
  }
}

/** oclif's hook for words that are no command. */
export async function commandNotFound({ id }: { readonly id: string }): Promise<never> {
  throw new Failure('usage', `There is no command ${JSON.stringify(id.replaceAll(':', ' '))}.`, {
    hint: 'See those there are: leasectl --help',
  });
}

function watchStreams(process: NodeJS.Process): void {
  process.stdout.on('error', (error) => {
    // `leasectl … | head -1` is no error: whoever read has read enough.
    if ('code' in error && error.code === 'EPIPE') process.exit();
    process.stderr.write(`Error: stdout cannot be written: ${error.message}.\n`);
    process.exit(FAILURES.unavailable.exit);
  });
  // Nobody is left to be told; the exit code still tells.
  process.stderr.on('error', () => undefined);
}
