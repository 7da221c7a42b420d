import type { Transport } from './http/transport.ts';
import type { Progress } from './terminal/progress.ts';

/** Shows that a host is waited for, while a request is on its way. */
export function withProgress(
  transport: Transport,
  host: string,
  progress: Progress | undefined,
): Transport {
  if (!progress) return transport;
  return (request, send) => progress.during(host, () => transport(request, send));
}
