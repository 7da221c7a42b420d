import { createSecretStore, StoredSecret } from '../../src/secrets/secret-store.ts';

/*
 * A program that reads a secret as a command does. It tells when it had it, or how that failed, and
 * when it ended, which SIGUSR2 brings about.
 */

const [program = '', secret = '', timeout = ''] = process.argv.slice(2);
const store = createSecretStore({
  env: process.env,
  withhold: [],
  newId: () => 'unused',
  timeout: Number(timeout),
  program,
});
store.read(StoredSecret.parse(JSON.parse(secret))).then(
  (value) => process.stdout.write(value),
  (error: Error) => process.stdout.write(`${performance.now()} ${error.message}`),
);
process.on('SIGUSR2', () => process.exit());
process.on('exit', () => process.stderr.write(String(performance.now())));
