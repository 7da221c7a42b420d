import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Where lines are written to without ever waiting for whoever reads them. */
export interface EventSink {
  write(line: string): void;
  /** Gives who is slow a last chance. */
  close(): Promise<void>;
}

/** How often it is tried again, and for how long at the end, in milliseconds. */
const RETRY_INTERVAL = 50;
const LAST_CHANCE = 500;

/** What is kept for a reader who does not read, in bytes: what comes then is lost. */
const MOST_KEPT = 8 * 1024 * 1024;

/**
 * @param onFailed told why something was lost; true where what comes later is to be tried all the
 *   same, for a disk that is full now
 */
export function createEventSink(
  descriptor: number,
  onFailed: (error: unknown) => boolean,
): EventSink {
  const waiting: Buffer[] = [];
  let kept = 0;
  let isBroken = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    try {
      for (let [next] = waiting; next; [next] = waiting) {
        const written = writeSync(descriptor, next);
        kept -= written;
        if (written < next.length) waiting[0] = next.subarray(written);
        else waiting.shift();
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return;
      waiting.length = 0;
      kept = 0;
      isBroken = !onFailed(error);
    }
  };
  return {
    write: (line) => {
      const next = Buffer.from(`${line}\n`);
      if (isBroken || kept + next.length > MOST_KEPT) return;
      waiting.push(next);
      kept += next.length;
      flush();
      if (waiting.length > 0) timer ??= setInterval(flush, RETRY_INTERVAL).unref();
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      const end = performance.now() + LAST_CHANCE;
      while (waiting.length > 0 && performance.now() < end) {
        flush();
        await delay(RETRY_INTERVAL);
      }
      clearInterval(timer);
      isBroken = true;
      if (descriptor > 2) closeSync(descriptor);
    },
  };
}

/**
 * Writes together what comes in one turn of the event loop: for lines that come with every request, of
 * each of which a write of its own would take longer than to make it.
 */
export function gathering(sink: EventSink): EventSink {
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) sink.write(lines.join('\n'));
    lines = [];
  };
  return {
    write: (line) => {
      if (lines.length === 0) setImmediate(flush);
      lines.push(line);
    },
    close: () => {
      flush();
      return sink.close();
    },
  };
}

/**
 * Opens a file to be added to.
 *
 * @throws the system's error, also for a pipe that nobody reads
 */
export function openForEvents(file: string): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NONBLOCK } = constants;
  return openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0o600);
}

/**
 * Stderr for events. A pipe, or a terminal, is opened anew, so that not to wait for its reader
 * concerns nobody else who writes to it.
 */
export function stderrForEvents(): number {
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    const stat = fstatSync(2);
    if (stat.isFIFO() || stat.isCharacterDevice())
      return openSync('/proc/self/fd/2', O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // There is no such way on this system: then it is as it is.
  }
  return 2;
}
