import { once } from 'node:events';
import { createKyTransport } from '../../src/http/ky-transport.ts';
import { createClientCredentials } from '../../src/tokens/client-credentials.ts';

/*
 * A process that gets an access token, as one of many at once: it says that it is ready, waits for a
 * line on stdin, and prints the value of the Authorization header. Its clock may be ahead.
 */

const [directory = '', url = '', ahead = '0'] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const tokenUrl = new URL(url);
const credentials = createClientCredentials({
  service: 'test',
  tokenUrl,
  clientId: 'client',
  clientSecret: 'client-secret',
  scope: undefined,
  directory,
  now: () => Date.now() + Number(ahead),
  timeout: 10_000,
  transport: createKyTransport({
    service: 'test',
    baseUrl: tokenUrl,
    userAgent: 'leasectl/test',
    timeout: 60_000,
  }),
  remember: (secret) => secret,
});
say('ready');
await once(process.stdin, 'data');
say(await credentials.header());
await credentials.close();
process.stdin.destroy();
