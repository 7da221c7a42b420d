import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createKyTransport } from '../../src/http/ky-transport.ts';

/** Milliseconds until it is known that nobody is there. */
const REFUSED_AFTER = 20;

const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

/** Asks a service that is not there. */
async function ask(): Promise<unknown> {
  const transport = createKyTransport({
    ...{ service: 'leasectl', baseUrl: new URL('http://127.0.0.1:1'), userAgent: 'leasectl/test' },
    ...{ timeout: 1_000, firstDelay: 20 },
    fetch: async (_, { signal }) => {
      await delay(REFUSED_AFTER, undefined, signal ? { signal } : {}).catch(() => {
        throw signal?.reason;
      });
      throw new TypeError('fetch failed', { cause: REFUSED });
    },
  });
  const request = {
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: {},
    body: '',
  };
  return transport(request, { repeatable: false }).catch((error: unknown) => error);
}

test('the last attempt has the time to tell that nothing was done', async () => {
  // Each of them waits for as long as chance wills.
  const failures = await Promise.all(Array.from({ length: 500 }, ask));
  for (const failure of failures) {
    expect(failure).toMatchObject({
      message: 'leasectl: no connection to http://127.0.0.1:1 (ECONNREFUSED).',
      outcomeUnknown: false,
    });
  }
});
