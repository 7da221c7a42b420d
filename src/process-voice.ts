import { Failure } from './domain/failure.ts';
import { processRedactor } from './process-redactor.ts';
import { reportAtOnce, type Voice } from './report.ts';
import { Terminal } from './terminal/terminal.ts';

const argv = process.argv.slice(2);

/** How this process talks. */
export const processVoice: Voice = {
  terminal: new Terminal(process, watchStream),
  redactor: processRedactor,
  env: process.env,
  argv,
  isJson: argv.includes('--json'),
};

function watchStream(name: 'stdout' | 'stderr', stream: NodeJS.WriteStream): void {
  // Nobody is left to be told; the exit code still tells.
  if (name === 'stderr') stream.on('error', () => undefined);
  else stream.on('error', endAtOnce);
}

function endAtOnce(error: Error): void {
  // `leasectl … | head -1` is no error: whoever read has read enough.
  const code = 'code' in error ? String(error.code) : error.message;
  if (code === 'EPIPE') process.exit();
  const hint = 'What was asked for may be done: look before you do it again.';
  const failure = new Failure('unavailable', `stdout cannot be written (${code}).`, { hint });
  process.exit(reportAtOnce(failure, processVoice));
}
