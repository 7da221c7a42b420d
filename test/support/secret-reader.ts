import { createSecretStore } from '../../src/secrets/secret-store.ts';

/* Reads a secret as a command does, and tells how that failed: built and run as a program. */

const [program = '', account = '', timeout = ''] = process.argv.slice(2);
const store = createSecretStore({
  env: process.env,
  withhold: [],
  newId: () => 'unused',
  timeout: Number(timeout),
  program,
});
store.read({ keyring: account }).then(
  (value) => process.stdout.write(value),
  (error: Error) => process.stdout.write(`${performance.now()} ${error.message}`),
);
process.on('exit', () => process.stderr.write(String(performance.now())));
