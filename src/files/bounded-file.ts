import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Failure } from '../domain/failure.ts';

/**
 * Reads an ordinary file as UTF-8. What others name, or could put another thing in the place of, may be a
 * pipe that nobody writes to, or a device that never ends.
 *
 * @param most bytes that it may have
 * @param hint what to do with a file that is something else
 * @throws Failure `usage` for one that is something else, or larger; the system's error
 */
export function readOrdinary(file: string, most: number, hint: string): string {
  // Undefined on Windows, where pipes are no files.
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const text = fstatSync(descriptor).isFile() ? readAll(descriptor, most) : undefined;
    if (text !== undefined) return text;
  } finally {
    closeSync(descriptor);
  }
  const size = `${most / 1024} kB`;
  throw new Failure('usage', `${file} is no ordinary file, or has more than ${size}.`, { hint });
}

/** Undefined when there is more. What its size is said to be is not relied on: it may grow. */
function readAll(descriptor: number, most: number): string | undefined {
  const buffer = Buffer.alloc(most + 1);
  let size = 0;
  for (;;) {
    const read = readSync(descriptor, buffer, size, buffer.length - size, null);
    size += read;
    if (size > most) return undefined;
    if (read === 0) return buffer.toString('utf8', 0, size);
  }
}
