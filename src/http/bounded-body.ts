import { Failure } from '../domain/failure.ts';
import type { FetchedAnswer } from './ky-transport.ts';

/** No answer of a lease service is larger: 8 MiB. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads a body as UTF-8, up to a bound, so that an endless or exploding one cannot fill the memory.
 *
 * @throws Failure `bad_response` beyond the bound
 */
export async function readBounded(
  response: Pick<FetchedAnswer, 'status' | 'body'>,
  service: string,
): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) {
      throw new Failure('bad_response', `${service}: the answer is larger than 8 MiB.`, {
        hint: "Check the profile's URL: this may not be a lease service.",
        service,
        status: response.status,
      });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
