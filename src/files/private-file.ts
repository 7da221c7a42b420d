import { readFileSync } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Mode of every file that may hold a secret, and of the directories they lie in. */
const OWNER_FILE = 0o600;
const OWNER_DIRECTORY = 0o700;

/** Whether an error is the system's, with this code, e.g. `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Reads a file; undefined when there is none. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    // To wait for a small file takes longer than to read it.
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Writes a file that only its owner may read. Readers see the old content or the new, whole; after
 * a crash too. Of several writers at once the last one wins.
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  await throughTemporary(file, content, (temporary) => rename(temporary, file));
}

/**
 * As {@link replaceFile}, but only where no file is: of several writers at once exactly one
 * succeeds.
 *
 * @returns false when the file existed
 */
export async function createFile(file: string, content: string): Promise<boolean> {
  try {
    await throughTemporary(file, content, (temporary) => link(temporary, file));
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Makes an empty file: there is nothing in it that could be torn.
 *
 * @returns false when the file existed
 */
export async function createEmptyFile(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: OWNER_DIRECTORY });
  try {
    await (await open(file, 'wx', OWNER_FILE)).close();
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Gives a file another name, in place of what had it. @returns false when there was no such file */
export async function moveFile(file: string, newFile: string): Promise<boolean> {
  try {
    await rename(file, newFile);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

/** @returns false when there was no such file */
export async function removeFile(file: string): Promise<boolean> {
  try {
    await rm(file);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

/** What a file is called until it is whole. */
const TEMPORARY = '.tmp';

/** Removes what writers that were killed left in a directory; nobody else may be writing there. */
export async function removeLeftovers(directory: string): Promise<void> {
  const files = await readdir(directory).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  for (const file of files) {
    if (file.endsWith(TEMPORARY)) await rm(join(directory, file), { force: true });
  }
}

async function throughTemporary(
  file: string,
  content: string,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: OWNER_DIRECTORY });
  const { randomUUID } = await import('node:crypto');
  const temporary = `${file}.${randomUUID()}${TEMPORARY}`;
  try {
    const handle = await open(temporary, 'wx', OWNER_FILE);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}
