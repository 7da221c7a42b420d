import { pipeline, type Readable, type Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
} from 'node:zlib';

/** What was packed less carefully than it should be is read as far as it goes, as everywhere. */
const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const LENIENT_BROTLI = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};
/** Nobody packs more often: it would only keep us busy. */
const MOST_PACKINGS = 5;

/**
 * Unpacks a body. One whose packing is not known comes as it is.
 *
 * @param packing a `Content-Encoding`, as it came: what was done last stands last
 * @throws Error with a code that begins with `Z_` or `ERR_`, while it is read, when it is not packed so
 */
export async function unpacked(
  body: Readable,
  packing: string,
): Promise<AsyncIterable<Uint8Array>> {
  const names = packing
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > MOST_PACKINGS) {
    body.destroy();
    throw Object.assign(new Error('packed too often'), { code: 'Z_TOO_OFTEN' });
  }
  let source = body;
  if (!names.every((name) => Object.hasOwn(UNPACKERS, name))) return source;
  for (const name of names.reverse()) {
    const first = await firstByteOf(source);
    // What is empty is not packed: many name a packing for what has no body.
    if (first === undefined) return source;
    const unpack = UNPACKERS[name]?.(first);
    // What goes wrong before is told by what comes last.
    if (unpack) source = pipeline(source, unpack, () => undefined);
  }
  return source;
}

const UNPACKERS: Readonly<Record<string, (first: number) => Transform>> = {
  gzip: () => createGunzip(LENIENT),
  'x-gzip': () => createGunzip(LENIENT),
  deflate: inflating,
  br: () => createBrotliDecompress(LENIENT_BROTLI),
};

/** There are two forms of it, which differ in their first byte. */
function inflating(first: number): Transform {
  return (first & 0x0f) === 0x08 ? createInflate(LENIENT) : createInflateRaw(LENIENT);
}

/** Undefined where nothing comes, because it is empty or broke off: reading it tells which. */
async function firstByteOf(body: Readable): Promise<number | undefined> {
  while (!body.readableEnded && !body.destroyed) {
    const chunk: Buffer | null = body.read();
    if (chunk !== null) {
      body.unshift(chunk);
      return chunk[0];
    }
    await somethingOf(body);
  }
  return undefined;
}

/**
 * Waits until there is something to read, or the end. What is empty never becomes readable: who waits
 * for that alone waits for ever, and when nothing else is left to do, the process ends within it.
 */
function somethingOf(body: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const event of ['readable', 'end', 'close']) body.once(event, resolve);
    body.once('error', reject);
  });
}
