/** Bytes that a request may have: 1 MiB. */
export const MAX_BODY = 1024 * 1024;

/**
 * Reads a request's body as UTF-8.
 *
 * @returns undefined when it is too large: it is not read to its end then
 */
export async function readBody(request: Request): Promise<string | undefined> {
  // These have none that means anything, and to look for one costs more than all the rest.
  if (request.method === 'GET' || request.method === 'HEAD') return '';
  const stated = request.headers.get('content-length');
  // Whoever hears a request sees to it that it is as long as it says.
  if (stated !== null) return Number(stated) > MAX_BODY ? undefined : request.text();
  if (request.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > MAX_BODY) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
