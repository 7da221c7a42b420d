import { boolean, string } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/shell.ts';
import type { Scope } from '../engine/access.ts';
import { KeyCommand, type KeyConnection } from '../key-command.ts';
import { required } from '../positional.ts';
import { renderResult } from '../render-result.ts';
import type { ResultResponse, StatusResponse } from '../services/onceonly/wire.ts';
import { type Look, waitFor } from '../supervise/patience.ts';
import { visibleJson } from '../terminal/visible.ts';
import { createWaitingLine, NO_WAITING_LINE } from '../waiting-line.ts';

export default class Wait extends KeyCommand {
  static override readonly scopes: readonly Scope[] = ['keys:read'];
  static override readonly summary = 'Wait until the work on a key has ended, and show its result';
  static override readonly description = [
    'Exit code 0 means completed, 8 failed or canceled, 10 that --timeout came first. A key',
    'that nobody has leased yet, or whose lease ran out, is waited for, too.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> wait hello --timeout 10m',
    '<%= config.bin %> wait hello --raw',
  ];
  static override readonly args = { key: required('Key to wait for', 'key') };
  static override readonly flags = {
    timeout: string({
      description: 'How long to wait [default: for ever]',
      helpValue: 'DURATION',
    }),
    interval: string({
      description: 'How often to look, unless the service asks for less [default: as it says]',
      helpValue: 'DURATION',
    }),
    raw: boolean({
      description: 'Print only the stored result, as JSON on one line; null when there is none',
      exclusive: ['json', 'query', 'field'],
    }),
  };

  // It says by itself what it waits for.
  protected override readonly showsCalls = true;
  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Wait);
    const { key } = args;
    const milliseconds = (text: string | undefined, flag: string) =>
      text === undefined ? undefined : parseDuration(text, flag) * 1000;
    const timeout = milliseconds(flags.timeout, '--timeout');
    const interval = milliseconds(flags.interval, '--interval');
    const begun = performance.now();
    const connection = await this.#connected(flags.profile, timeout);
    // In whole seconds, as it is told: most of the time nobody else had to be asked for the token.
    const left = (timeout ?? 0) - (performance.now() - begun);
    const rest = timeout && Math.max(1, Math.ceil(left / 1000)) * 1000;
    const answer = await this.#ended(key, connection, rest, interval);
    return {
      data: answer,
      text: (style) =>
        flags.raw
          ? visibleJson(answer.result ?? null, 0)
          : renderResult(answer, connection.target.profile, style),
      failure: answer.status === 'completed' ? undefined : endedBadly(answer),
    };
  }

  /** @param most milliseconds for all of it */
  #connected(profile: string | undefined, most = Number.POSITIVE_INFINITY): Promise<KeyConnection> {
    const options = this.connectOptions({ profile });
    return this.context.onceOnly({ ...options, timeout: Math.min(options.timeout, most) });
  }

  async #ended(
    key: string,
    { within }: KeyConnection,
    timeout: number | undefined,
    interval: number | undefined,
  ): Promise<ResultResponse> {
    const { terminal, redactor } = this.context;
    const clocks = await this.context.clocks();
    const line = this.jsonEnabled() ? NO_WAITING_LINE : createWaitingLine(terminal, redactor);
    const look = async (rest: number): Promise<Look<ResultResponse>> => {
      const client = await within(Math.ceil(Math.max(SHORTEST_LOOK, Math.min(rest, LONGEST_LOOK))));
      const state = await client.status(key).catch(unlessUnknown);
      const isOver = state && state.status !== 'in_progress' && state.error_code !== 'expired';
      if (isOver) return { found: await client.result(key) };
      const seconds = state?.retry_after_sec;
      return {
        failure: new Failure('pending', `${key} ${wordsFor(state)}.`, { service: 'onceonly' }),
        retryAfter: seconds == null ? undefined : seconds * 1000,
        ask: `leasectl why ${quoted(key)}`,
      };
    };
    try {
      const found = await waitFor({
        look: (rest) => look(rest).catch(whileWaiting),
        clocks,
        patience: timeout,
        interval,
        random: Math.random,
        signal: new AbortController().signal,
        onWait: ({ message }) => line.show(`Waiting: ${message}`),
      });
      return found ?? Promise.reject(new Error('nothing ends this wait but its end'));
    } finally {
      line.clear();
    }
  }
}

/** What one look may take, in milliseconds. */
const SHORTEST_LOOK = 500;
const LONGEST_LOOK = 15_000;

/** A service that cannot be asked now is waited for, too. */
function whileWaiting(error: unknown): Look<ResultResponse> {
  if (!(error instanceof Failure) || error.code !== 'unavailable') throw error;
  return { failure: error, retryAfter: undefined };
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'not_found') return undefined;
  throw error;
}

function wordsFor(state: StatusResponse | undefined): string {
  if (!state) return 'is not leased yet';
  return state.status === 'in_progress'
    ? 'is in progress'
    : 'is not finished, and its lease ran out';
}

function endedBadly({ key, status, error_code }: ResultResponse): Failure {
  const how = error_code ? `${status} (${error_code})` : status;
  return new Failure('work_failed', `The work on ${key} has ${how}.`, {
    hint: `A finished key is not leased again. All of it: leasectl status ${quoted(key)}`,
    service: 'onceonly',
  });
}
