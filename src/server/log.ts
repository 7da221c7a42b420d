import { type Level, type Logger, pino } from 'pino';
import { isoTime } from '../domain/clock.ts';
import { Failure } from '../domain/failure.ts';
import type { Answered } from './request-notes.ts';

export type Log = Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
export type LogLevel = Extract<Level, 'debug' | 'info' | 'warn' | 'error'>;

/**
 * Lines of JSON, for programs.
 *
 * @param write takes a line, with its end, and holds nobody up
 * @param clean takes secrets out of a line
 */
export function createLog(
  write: (line: string) => void,
  level: LogLevel,
  clean: (text: string) => string,
): Log {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${isoTime(Date.now())}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: toldError },
  };
  return pino(options, { write: (line) => write(clean(line)) });
}

/** Asked all the time, by machines. */
const HEALTH = /^\/(healthz|readyz)$/;

/** Tells of a request, without anything that came with it but its id. */
export function logAnswered(log: Log, answered: Answered): void {
  const { notes, method, status, milliseconds, streamed, remote } = answered;
  const { id, route, bearer, error } = notes;
  const line = {
    request_id: id,
    method,
    route,
    // Null for who was gone before the answer.
    status: status ?? null,
    ms: rounded(milliseconds),
    ...(streamed === undefined ? {} : { streamed_ms: rounded(streamed) }),
    caller: bearer?.name,
    namespace: bearer?.namespace,
    remote,
    ...(error === undefined ? {} : { err: error }),
  };
  // Who hangs up, or dawdles, fails the reading of a body, too.
  if (error !== undefined && status !== undefined && status >= 500) log.error(line, 'request');
  else if (route !== undefined && HEALTH.test(route))
    log[isWell(status) ? 'debug' : 'warn'](line, 'request');
  else log.info(line, 'request');
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

function isWell(status: number | undefined): boolean {
  return status !== undefined && status < 400;
}

/** What others throw may quote what they were given: of that there are only the kind and the place. */
function toldError(error: unknown): object {
  if (error instanceof Failure) {
    const { code, message, cause } = error;
    return { type: error.name, code, message, ...(cause ? { cause: nameOf(cause) } : {}) };
  }
  if (!(error instanceof Error)) return nameOf(error);
  const places = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  return { ...nameOf(error), stack: places.map((line) => line.trim()) };
}

/** For what is expected to happen its place is of no use. */
function nameOf(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  return { type: error.name, ...('code' in error ? { code: String(error.code) } : {}) };
}
