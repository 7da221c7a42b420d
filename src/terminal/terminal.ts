import { readFile } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';

/** The streams of a process: stdout is data, stderr is talk. */
export class Terminal {
  readonly #process: NodeJS.Process;
  #isStdinTaken = false;

  constructor(process: NodeJS.Process) {
    this.#process = process;
  }

  /** Whether a person looks at the stream, rather than a program. */
  isInteractive(stream: 'stdout' | 'stderr'): boolean {
    return this.#process[stream].isTTY === true;
  }

  writeOut(text: string): void {
    this.#process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  writeError(text: string): void {
    this.#process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /**
   * Reads all of stdin as UTF-8.
   *
   * @param wanted which flag asks, for the message
   * @throws Failure `usage` when two flags want it
   */
  async readStdin(wanted: string): Promise<string> {
    if (this.#isStdinTaken) {
      throw new Failure('usage', `${wanted} cannot read stdin: another flag reads it.`, {
        hint: 'Give one of them a file, as @FILE.',
      });
    }
    this.#isStdinTaken = true;
    const chunks: Buffer[] = [];
    for await (const chunk of this.#process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }

  /**
   * What a flag's value stands for: itself, the content of `@FILE`, or of stdin for `-`.
   *
   * @throws Failure `usage` when the file cannot be read
   */
  async readValue(value: string, flag: string): Promise<string> {
    if (value === '-') return this.readStdin(flag);
    if (!value.startsWith('@')) return value;
    const file = value.slice(1);
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      throw new Failure('usage', `${flag}: ${file} cannot be read.`, {
        hint: 'Check that the file is there and readable.',
        cause: error,
      });
    }
  }
}
