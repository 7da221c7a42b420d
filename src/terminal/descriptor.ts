import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/*
 * The standard streams without Node's streams: to make one takes longer than all that most commands
 * write.
 */

export const DESCRIPTORS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Whether a descriptor is a terminal. */
export function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && isatty(descriptor);
  } catch {
    return false;
  }
}

/**
 * Writes as much as the descriptor takes.
 *
 * @returns the rest: whoever reads is slow, or something is wrong
 */
export function writeAtOnce(descriptor: number, data: Buffer): Buffer {
  let rest = data;
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
  } catch {
    // The stream, which gets the rest, meets the same, and tells.
  }
  return rest;
}
