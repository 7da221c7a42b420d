import { createKyTransport } from '../../src/http/ky-transport.ts';
import { createOnceOnlyClient } from '../../src/services/onceonly/client.ts';
import { type Reply, startStub } from './stub-server.ts';

export const TOKEN = 'once_live_canary';

export const STATUS = {
  ok: true,
  status: 'in_progress',
  key: 'k',
  ttl_left: 90,
  lease_id: 'lease_1',
  version: 1,
  first_seen_at: null,
  done_at: null,
  result_hash: null,
  error_code: null,
  retry_after_sec: 5,
};
export const EXTENDED = { ok: true, status: 'extended', key: 'k', ttl: 60, version: 2 };
export const ACQUIRED = { ...STATUS, status: 'acquired', ttl: 60, ttl_left: null, charged: 1 };
export const NOW = { headers: { 'retry-after': '0' } };

export function clientOf(url: string, timeout = 10_000) {
  const transport = createKyTransport({
    service: 'onceonly',
    baseUrl: new URL(url),
    authorization: `Bearer ${TOKEN}`,
    userAgent: 'leasectl/test',
    timeout,
    firstDelay: 2,
  });
  return createOnceOnlyClient({
    transport,
    knowsAcquisitions: () => false,
    clean: (text) => text.replaceAll(TOKEN, '***'),
  });
}

export async function stubbed(replies: readonly Reply[], timeout?: number) {
  const stub = await startStub(...replies);
  return { ...stub, client: clientOf(stub.url, timeout) };
}

/** Ends the connection without an answer. */
export const hangUp: Reply = (_, response) => void response.socket?.destroy();
export const silence: Reply = () => undefined;
export const extension = { key: 'k', lease_id: 'lease_1', ttl: 60 };
