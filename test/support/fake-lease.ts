import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import type { Ending, Grant, Lease } from '../../src/supervise/lease.ts';
import type { Clocks, Moment } from '../../src/supervise/moment.ts';

/** What comes of one call. */
export type Answer =
  | 'hangs'
  | {
      /** Milliseconds until it comes; default 0. */
      readonly after?: number;
      readonly brings:
        | { readonly duration: number; readonly isCanceled?: boolean }
        | FailureCode
        | Error;
    };

/** Answers that come at once. */
export const grants = (...durations: number[]): Answer[] =>
  durations.map((duration) => ({ brings: { duration } }));
export const refuses = (...codes: FailureCode[]): Answer[] => codes.map((brings) => ({ brings }));

export interface Call {
  readonly at: Moment;
  readonly limit: number;
  /** Of a call that ends the lease. */
  readonly ending?: Ending;
  /** When its answer came, and what it was: a Failure, what a grant says, or undefined. */
  answeredAt?: Moment;
  failure?: Failure;
}

/** A lease whose answers are known before: the first call gets the first one, and so on. */
export class FakeLease implements Lease {
  readonly granted: Grant;
  readonly calls: Call[] = [];
  readonly #clocks: Clocks;
  readonly #answers: Answer[];
  /** For calls after the last answer. */
  readonly #otherwise: Answer;

  constructor(
    clocks: Clocks,
    duration: number,
    answers: readonly Answer[] = [],
    otherwise: Answer = 'hangs',
  ) {
    this.granted = { sentAt: clocks.now(), duration };
    this.#clocks = clocks;
    this.#answers = [...answers];
    this.#otherwise = otherwise;
  }

  /** Times of the calls, in milliseconds since the lease was asked for. */
  get times(): number[] {
    return this.calls.map(({ at }) => Math.round(at.steady - this.granted.sentAt.steady));
  }

  async renew(limit: number): Promise<Grant> {
    const at = this.#clocks.now();
    const brings = await this.#answer({ at, limit });
    if (!brings) throw new Error('a renewal is not answered with nothing');
    return { sentAt: at, ...brings };
  }

  async end(ending: Ending, limit: number): Promise<void> {
    await this.#answer({ at: this.#clocks.now(), limit, ending });
  }

  async #answer(call: Call) {
    this.calls.push(call);
    const answer = this.#answers.shift() ?? this.#otherwise;
    if (answer === 'hangs') return new Promise<never>(() => undefined);
    const { after = 0, brings } = answer;
    if (after > 0) await this.#clocks.sleep(after, new AbortController().signal);
    call.answeredAt = this.#clocks.now();
    if (brings instanceof Error) throw brings;
    if (typeof brings !== 'string') return brings;
    call.failure = new Failure(brings, `It answered with ${brings}.`);
    throw call.failure;
  }
}
