import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './domain/failure.ts';
import { isJsonObject, type JsonObject, parseJson } from './domain/json.ts';
import { parseObject } from './json-input.ts';
import type { LeaseAddress } from './ledger/ledger.ts';

/** The most that a result may have, in bytes. */
export const MAX_RESULT = 8 * 1024 * 1024;

const OWNER_ONLY = { mode: 0o600 };

/**
 * What a command gets and leaves in files, in a directory that only its owner may enter. Whoever
 * knows the handle of the lease finds it again.
 */
export class WorkDirectory {
  readonly jobFile: string;
  readonly resultFile: string;
  readonly #directory: string;
  readonly #unfinishedFile: string;

  /** @param root where the directories of all leases are */
  constructor(root: string, address: LeaseAddress, handle: string) {
    this.#directory = join(root, workDirectoryName(address, handle));
    this.jobFile = join(this.#directory, 'job.json');
    this.resultFile = join(this.#directory, 'result.json');
    this.#unfinishedFile = join(this.#directory, 'unfinished');
  }

  /** @param job the job as JSON text, if there is one */
  create(job: string | undefined): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    if (job !== undefined) writeFileSync(this.jobFile, job, OWNER_ONLY);
  }

  hasResult(): boolean {
    return (statSync(this.resultFile, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  keepResult(result: JsonObject): void {
    writeFileSync(this.resultFile, JSON.stringify(result), OWNER_ONLY);
  }

  /**
   * The result that the command left; undefined when it left none.
   *
   * @throws Failure `usage` when it is no JSON object, too large, or cannot be read
   */
  readResult(): JsonObject | undefined {
    try {
      const stat = statSync(this.resultFile, { throwIfNoEntry: false });
      if (!stat) return undefined;
      if (!stat.isFile()) throw unusable('is no file');
      if (stat.size > MAX_RESULT) throw unusable('has more than 8 MiB');
      const text = readFileSync(this.resultFile, 'utf8').replace(/^\ufeff/, '');
      return text.trim() === '' ? undefined : parseResult(text);
    } catch (error) {
      if (error instanceof Failure) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw unusable(`cannot be read: ${why}`);
    }
  }

  /** Notes that what the command was done for waits to be finished. */
  markUnfinished(): void {
    writeFileSync(this.#unfinishedFile, '', OWNER_ONLY);
  }

  isUnfinished(): boolean {
    return statSync(this.#unfinishedFile, { throwIfNoEntry: false }) !== undefined;
  }

  /** @throws Failure `usage` unless it is so marked */
  assertUnfinished(id: string): void {
    if (this.isUnfinished()) return;
    throw new Failure('usage', `Nothing that exec did for ${id} waits to be finished here.`, {
      hint: 'Only where it ended with 75 there is something to resume.',
    });
  }

  /** Removes the job, which may hold a secret. */
  removeJob(): void {
    rmSync(this.jobFile, { force: true });
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What the directory of a lease is called. */
export function workDirectoryName(
  { service, profile, location, id }: LeaseAddress,
  handle: string,
): string {
  return createHash('sha256')
    .update(JSON.stringify([service, profile, location, id, handle]))
    .digest('hex')
    .slice(0, 24);
}

/**
 * What a command printed as its result: an object as it is, other text in one.
 *
 * @throws Failure `usage` for an object that JSON cannot carry
 */
export function printedResult(text: string): JsonObject | undefined {
  if (text.trim() === '') return undefined;
  if (isJsonObject(parseJson(text))) return parseResult(text);
  return { stdout: text.replace(/\r?\n$/, '') };
}

function parseResult(text: string): JsonObject {
  try {
    return parseObject(text, 'The result');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure('usage', error.message, { hint: HINT, cause: error });
  }
}

const HINT = 'It has to be a JSON object, for example {"status": "ok"}.';

export function unusable(why: string): Failure {
  return new Failure('usage', `The result ${why}.`, { hint: HINT });
}
