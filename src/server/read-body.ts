/** Bytes that a request may have: 1 MiB. */
export const MAX_BODY = 1024 * 1024;

/** What no dialect reads as anything: in the place of what is no UTF-8, and so neither JSON nor a form. */
const UNREADABLE = '\0';

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a request's body as UTF-8. Bytes that are none are not made into something that nobody sent.
 *
 * @returns undefined when it is too large: it is not read to its end then
 */
export async function readBody(request: Request): Promise<string | undefined> {
  // These have none that means anything, and to look for one costs more than all the rest.
  if (request.method === 'GET' || request.method === 'HEAD') return '';
  const stated = request.headers.get('content-length');
  // Whoever hears a request sees to it that it is as long as it says.
  if (stated !== null) {
    return Number(stated) > MAX_BODY ? undefined : decode(await request.arrayBuffer());
  }
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return decode(Buffer.concat(chunks));
}

/** As {@link readBody} does. */
export function decode(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return UNREADABLE;
  }
}
