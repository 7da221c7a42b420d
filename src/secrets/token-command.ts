import { Failure } from '../domain/failure.ts';
import { Redactor } from '../domain/redactor.ts';
import { runShell, type ShellOutcome } from './shell-command.ts';

export interface TokenCommandOptions {
  /** Without any of leasectl's own credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that it has. */
  readonly timeout: number;
  /** Whose token it prints. */
  readonly profile: string | undefined;
}

/** How much it may print, in bytes. */
const MAX_OUTPUT = 64 * 1024;
/** How much of its stderr is told, in characters. */
const MAX_REASON = 200;

/** All profiles whose commands wait: it may run leasectl, which runs that of another profile. */
const WAITING = 'LEASECTL_TOKENS_FOR';

/**
 * The first line that a command prints.
 *
 * @throws Failure `unauthorized` when it fails or prints no token, `unavailable` when it does not end in
 *   time; `usage` when it calls itself
 */
export async function tokenFrom(command: string, options: TokenCommandOptions): Promise<string> {
  const { env, timeout, profile } = options;
  const what =
    profile === undefined ? 'The token command' : `The token command of profile ${profile}`;
  const outcome = await runShell(command, {
    env: profile === undefined ? env : { ...env, ...told(profile, env) },
    timeout,
    limit: MAX_OUTPUT,
  });
  if (outcome.type === 'late') {
    throw new Failure('unavailable', `${what} did not end within ${timeout / 1_000} s.`, {
      hint: 'It has no stdin and no terminal: it must not ask for anything. LEASECTL_TOKEN does without it.',
    });
  }
  if (outcome.type !== 'ended' || outcome.end !== 0) throw failed(what, outcome);
  const [line = ''] = outcome.stdout.trim().split(/[\r\n]/, 1);
  const token = line.trim();
  if (isToken(token)) return token;
  throw new Failure('unauthorized', `${what} printed no token.`, {
    hint: 'The first line of its stdout must be one: visible ASCII characters, without spaces.',
  });
}

/** @throws Failure `usage` when the command waits for this very process: that would never end */
function told(profile: string, env: TokenCommandOptions['env']): TokenCommandOptions['env'] {
  const waiting = env[WAITING]?.split(' ') ?? [];
  if (!waiting.includes(profile)) {
    return { LEASECTL_TOKEN_FOR: profile, [WAITING]: [...waiting, profile].join(' ') };
  }
  throw new Failure('usage', `The token command of profile ${profile} calls itself.`, {
    hint: 'A leasectl in it needs that very token: give it another profile with --profile NAME.',
  });
}

/** Whether a text can travel in a header as a token: visible ASCII, on one line. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function failed(what: string, outcome: Exclude<ShellOutcome, { type: 'late' }>): Failure {
  switch (outcome.type) {
    case 'not_started': {
      const { error } = outcome;
      const code = 'code' in error ? String(error.code) : error.name;
      return new Failure('unavailable', `${what} could not be started (${code}).`, {
        hint: 'The system has no shell, or no room for another process: set LEASECTL_TOKEN, or try again later.',
        cause: error,
      });
    }
    case 'too_much':
      return new Failure('unauthorized', `${what} printed more than 64 kB.`, {
        hint: 'The first line of its stdout must be the token, and not much more may follow.',
      });
    case 'ended': {
      const { end } = outcome;
      const how = typeof end === 'number' ? `failed with exit code ${end}` : `was ended by ${end}`;
      return new Failure('unauthorized', `${what} ${how}${reasonOf(outcome)}.`, {
        hint: 'Run it by itself to see what is wrong, or set LEASECTL_TOKEN.',
      });
    }
  }
}

/** The last line of stderr; without what was printed on stdout, which a shell may have repeated there. */
function reasonOf({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const redactor = new Redactor();
  for (const word of stdout.split(/\s+/)) redactor.add(word);
  const last =
    stderr
      .trim()
      .split(/[\r\n]/)
      .at(-1) ?? '';
  const reason = redactor.clean(last).trim().replace(/\.$/, '');
  if (!reason) return '';
  return `: ${reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON)}…` : reason}`;
}
