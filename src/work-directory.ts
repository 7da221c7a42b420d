import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure } from './domain/failure.ts';
import { isJsonObject, type JsonObject, parseJson } from './domain/json.ts';
import { parseObject } from './json-input.ts';
import type { LeaseAddress } from './ledger/ledger.ts';

/** The most that a result may have, in bytes. */
export const MAX_RESULT = 8 * 1024 * 1024;

/**
 * What a command gets and leaves in files, in a directory that only its owner may enter. Whoever
 * knows the handle of the lease finds it again.
 */
export class WorkDirectory {
  readonly jobFile: string;
  readonly resultFile: string;
  readonly #directory: string;

  /** @param root where the directories of all leases are */
  constructor(root: string, { service, profile, location, id }: LeaseAddress, handle: string) {
    const name = createHash('sha256')
      .update(JSON.stringify([service, profile, location, id, handle]))
      .digest('hex')
      .slice(0, 24);
    this.#directory = join(root, name);
    this.jobFile = join(this.#directory, 'job.json');
    this.resultFile = join(this.#directory, 'result.json');
  }

  /** @param job the job as JSON text, if there is one */
  create(job: string | undefined): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    if (job !== undefined) writeFileSync(this.jobFile, job, { mode: 0o600 });
  }

  /**
   * Opens a pipe, as two descriptors. Node's own are sockets, which `/dev/stdout` cannot open, and
   * whose writers get another error than SIGPIPE when nobody reads any more.
   */
  openPipe(): { readonly reader: number; readonly writer: number } {
    const path = join(this.#directory, 'stdout');
    execFileSync('mkfifo', ['-m', '600', path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    rmSync(path);
    return { reader, writer };
  }

  hasResult(): boolean {
    return (statSync(this.resultFile, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** Keeps what a command printed as its result: an object as it is, other text in one. */
  keepPrinted(text: string): void {
    if (text.trim() === '') return;
    const isObject = isJsonObject(parseJson(text));
    const result = isObject ? text : JSON.stringify({ stdout: text.replace(/\r?\n$/, '') });
    writeFileSync(this.resultFile, result, { mode: 0o600 });
  }

  /**
   * The result that the command left; undefined when it left none.
   *
   * @throws Failure `usage` when it is no JSON object, or too large
   */
  readResult(): JsonObject | undefined {
    if (!this.hasResult()) return undefined;
    const bytes = readFileSync(this.resultFile);
    if (bytes.length > MAX_RESULT) {
      throw new Failure('usage', `The result in ${this.resultFile} has more than 8 MiB.`, {
        hint: 'Store large data elsewhere, and give its address.',
      });
    }
    const text = bytes.toString('utf8').replace(/^\ufeff/, '');
    return text.trim() === '' ? undefined : parseObject(text, 'The result');
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
