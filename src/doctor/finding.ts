import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/shell.ts';

export type Status = 'ok' | 'warn' | 'fail';

/** What to do about it: a command line that can be copied as it is, or else a sentence. */
export type Mend = { readonly words: readonly string[] } | { readonly advice: string };

/** What was measured; times are in milliseconds. */
export interface Measured {
  /** How long it took. */
  readonly took_ms?: number;
  /** The median of the round trips. */
  readonly round_trip_ms?: number;
  /** How far this machine's clock is ahead of the service's; it may be off by the other. */
  readonly skew_ms?: number;
  readonly skew_resolution_ms?: number;
  /** Of a certificate, RFC 3339. */
  readonly expires_at?: string;
}

/** What a check found out. */
export interface Finding {
  /** What was looked at, e.g. `certificate`. */
  readonly name: string;
  /** Of what there may be several: which, e.g. a profile's name. */
  readonly subject: string | null;
  readonly status: Status;
  /** For people, on one line. */
  readonly detail: string;
  readonly mend: Mend | undefined;
  readonly measured: Measured;
}

/** Makes the findings about one thing. */
export interface About {
  ok(detail: string, measured?: Measured): Finding;
  warn(detail: string, mend?: Mend, measured?: Measured): Finding;
  fail(detail: string, mend?: Mend, measured?: Measured): Finding;
  /** @throws what is neither a Failure nor the system's: a bug is to look like one */
  failed(error: unknown): Finding;
}

export function about(name: string, subject: string | null = null): About {
  const found = (
    status: Status,
    detail: string,
    mend?: Mend,
    measured: Measured = {},
  ): Finding => ({
    name,
    subject,
    status,
    detail,
    mend,
    measured,
  });
  return {
    ok: (detail, measured) => found('ok', detail, undefined, measured),
    warn: (detail, mend, measured) => found('warn', detail, mend, measured),
    fail: (detail, mend, measured) => found('fail', detail, mend, measured),
    failed: (error) => {
      if (error instanceof Failure) {
        const mend = error.hint ? { advice: error.hint } : undefined;
        return found('fail', error.message.replace(/\.$/, ''), mend);
      }
      if (error instanceof Error && 'code' in error) return found('fail', error.message);
      throw error;
    },
  };
}

/** A command line of these words. */
export function command(...words: readonly string[]): Mend {
  return { words };
}

/** A mend to be shown. Flags are ours, and look like a secret only to those who have a strange one. */
export function textOf(mend: Mend, clean: (text: string) => string): string {
  if ('advice' in mend) return clean(mend.advice);
  return mend.words.map((word) => quoted(word.startsWith('--') ? word : clean(word))).join(' ');
}

/** What a piece of work finds; what fails it is a finding, too, so that all others are told. */
export async function guarded(
  subject: About,
  work: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await work();
  } catch (error) {
    return [subject.failed(error)];
  }
}
