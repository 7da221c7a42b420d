import { createReadStream, fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import { DESCRIPTORS, isTerminal, writeAtOnce } from './descriptor.ts';
import type { Prompts } from './prompts.ts';

/** What is left in a pipe takes no longer to read than this, in milliseconds. */
const LONGEST_REST = 2_000;
/** What a flag may read from stdin at most, in bytes: more than any service takes. */
const MAX_INPUT = 8 * 1024 * 1024;

type Output = 'stdout' | 'stderr';
type StreamListener = (name: Output, stream: NodeJS.WriteStream) => void;

/** A stream that is passed on to stdout. */
export interface PassedOn {
  /** What it was so far; undefined when that is too much. */
  kept(): Buffer | undefined;
  /** Reads on until it ends, or nothing has come for so many milliseconds; for a while at most. */
  toTheEnd(patience: number): Promise<void>;
}

/** The streams of a process: stdout is data, stderr is talk. */
export class Terminal {
  readonly #process: NodeJS.Process;
  readonly #onStream: StreamListener;
  readonly #streams: { [name in Output]?: NodeJS.WriteStream } = {};
  readonly #areTerminals = new Map<keyof typeof DESCRIPTORS, boolean>();
  #isStdinTaken = false;
  #hasProgress = false;

  /** @param onStream told of each output before it is written to as a stream: which may fail later */
  constructor(process: NodeJS.Process, onStream: StreamListener = () => undefined) {
    this.#process = process;
    this.#onStream = onStream;
  }

  /**
   * From now on whoever reads slowly is not waited for: for commands that have something else to do
   * meanwhile, as to keep a lease.
   */
  waitForNobody(): void {
    this.#stream('stdout');
    this.#stream('stderr');
  }

  /** Whether a person looks at the stream, rather than a program. */
  isInteractive(stream: keyof typeof DESCRIPTORS): boolean {
    const known = this.#areTerminals.get(stream) ?? isTerminal(DESCRIPTORS[stream]);
    this.#areTerminals.set(stream, known);
    return known;
  }

  /** Whether there is a person who can be asked, at a terminal that can show more than lines. */
  get canAsk(): boolean {
    const isDumb = this.#process.env['TERM'] === 'dumb';
    return this.isInteractive('stdin') && this.isInteractive('stderr') && !isDumb;
  }

  async prompts(): Promise<Prompts> {
    const { createPrompts } = await import('./prompts.ts');
    return createPrompts(this.#process);
  }

  /** The stream's width; that of an ordinary terminal where it has none. */
  columns(stream: Output): number {
    return (this.isInteractive(stream) && this.#stream(stream).columns) || 80;
  }

  /** Whether what is written to the stream is kept in a file, where nobody looks at it meanwhile. */
  isFile(stream: Output): boolean {
    try {
      return fstatSync(DESCRIPTORS[stream]).isFile();
    } catch {
      return false;
    }
  }

  writeOut(text: string): void {
    this.clearProgress();
    this.#write('stdout', text.endsWith('\n') ? text : `${text}\n`);
  }

  /**
   * Passes a stream on to stdout, and keeps what it was.
   *
   * @param most bytes that are kept
   */
  passOn(source: Readable, most: number): PassedOn {
    const stdout = this.#stream('stdout');
    const chunks: Buffer[] = [];
    let size = 0;
    let isHeld = true;
    const ended = new Promise<void>((resolve) => source.once('close', resolve));
    // Whoever read has read enough: the source is to learn that, and this process goes on.
    stdout.removeAllListeners('error');
    stdout.on('error', () => source.destroy());
    source.on('error', () => undefined);
    source.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= most) chunks.push(chunk);
      if (stdout.write(chunk) || !isHeld) return;
      source.pause();
      stdout.once('drain', () => source.resume());
    });
    return {
      kept: () => (size > most ? undefined : Buffer.concat(chunks)),
      toTheEnd: async (patience) => {
        // What is left is less than a pipe holds: the reader need not be waited for.
        isHeld = false;
        source.resume();
        const end = performance.now() + LONGEST_REST;
        let seen: number;
        do {
          seen = size;
          await Promise.race([ended, delay(patience)]);
        } while (size > seen && performance.now() < end);
      },
    };
  }

  /** Waits until what was written to stdout has been taken. */
  async flushed(): Promise<void> {
    const { stdout } = this.#streams;
    if (stdout && stdout.writableLength > 0 && !stdout.destroyed) {
      await new Promise<void>((resolve) => {
        const end = () => {
          stdout.off('error', end);
          resolve();
        };
        stdout.once('error', end);
        stdout.write('', end);
      });
    }
  }

  /** Shows a line on stderr in the place of the one before; nothing takes it away. */
  showStatus(text: string): void {
    // To the line's begin, and all of it away.
    this.#write('stderr', `\r\u001b[K${text.slice(0, this.columns('stderr') - 1)}`);
  }

  /** Shows a line on stderr that is gone before anything else is written. */
  showProgress(text: string): void {
    this.#hasProgress = true;
    this.showStatus(text);
  }

  clearProgress(): void {
    if (this.#hasProgress) this.showStatus('');
    this.#hasProgress = false;
  }

  writeError(text: string): void {
    this.clearProgress();
    this.#write('stderr', text.endsWith('\n') ? text : `${text}\n`);
  }

  #write(name: Output, text: string): void {
    const isStream = this.#streams[name] !== undefined;
    const rest = isStream ? text : writeAtOnce(DESCRIPTORS[name], Buffer.from(text));
    if (rest.length > 0) this.#stream(name).write(rest);
  }

  #stream(name: Output): NodeJS.WriteStream {
    const known = this.#streams[name];
    if (known) return known;
    const stream = this.#process[name];
    this.#streams[name] = stream;
    this.#onStream(name, stream);
    return stream;
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
    return readBounded(this.#process.stdin, wanted, 'stdin');
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
      // Whatever it is: a shell gives a pipe for `<(…)`.
      return await readBounded(createReadStream(file), flag, JSON.stringify(file));
    } catch (error) {
      if (error instanceof Failure) throw error;
      const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
      throw new Failure('usage', `${flag}: ${JSON.stringify(file)} cannot be read${code}.`, {
        hint: 'Check that it is there, a file, and readable.',
        cause: error,
      });
    }
  }
}

/**
 * Reads a stream to its end, as UTF-8.
 *
 * @param source what it is, for the message
 * @throws Failure `usage` when that does not come
 */
async function readBounded(stream: Readable, flag: string, source: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_INPUT) throw tooLarge(flag, source);
    chunks.push(bytes);
  }
  return withoutMark(Buffer.concat(chunks).toString('utf8'));
}

/** Some editors begin a file with a byte order mark, which is no part of its text. */
function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, '');
}

function tooLarge(flag: string, source: string): Failure {
  return new Failure('usage', `${flag}: ${source} has more than 8 MiB.`, {
    hint: 'Store large data elsewhere, and give its address.',
  });
}
