import { fileURLToPath } from 'node:url';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { Redactor } from './domain/redactor.ts';
import { styleOf } from './output/style.ts';
import { reportFailure } from './report.ts';
import { Terminal } from './terminal/terminal.ts';

/**
 * Runs the command line of this process.
 *
 * @param packageUrl the directory with package.json and the manifest
 */
export async function main(packageUrl: URL): Promise<void> {
  endQuietlyOnBrokenPipe(process);
  settings.enableAutoTranspile = false;
  const argv = process.argv.slice(2);
  try {
    await run(argv, fileURLToPath(packageUrl));
  } catch (error) {
    // Commands report their own failures: what comes here did not reach one.
    const terminal = new Terminal(process);
    const isInteractive = terminal.isInteractive('stderr');
    process.exitCode = reportFailure(error, {
      terminal,
      redactor: new Redactor(),
      style: await styleOf({
        isInteractive,
        noColor: argv.includes('--no-color'),
        env: process.env,
      }),
      isJson: argv.includes('--json'),
      isDebug: Boolean(process.env['LEASECTL_DEBUG']),
    });
  }
}

/** `leasectl … | head -1` is no error: whoever read has read enough. */
function endQuietlyOnBrokenPipe(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if ('code' in error && error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
}
