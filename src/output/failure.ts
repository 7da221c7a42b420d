import { FAILURES, Failure } from '../domain/failure.ts';
import { visible } from '../terminal/visible.ts';
import type { Style } from './style.ts';
import { usageFailure } from './usage.ts';

/** A failure for people: what happened, and what to do next. */
export function renderFailure(failure: Failure, { paint, clean }: Style): string {
  const lines = [`${paint.red('Error:')} ${cut(visible(clean(failure.message)))}`];
  if (failure.hint) lines.push(`${paint.dim('Hint:')} ${cut(visible(clean(failure.hint)))}`);
  return lines.join('\n');
}

/** A key can be longer than what anybody reads. */
function cut(text: string): string {
  return text.length > 1_000 ? `${text.slice(0, 999)}…` : text;
}

/** A failure for programs; absent fields are left out. */
export function failureToJson(failure: Failure, { clean }: Pick<Style, 'clean'>): object {
  const { code, service, status } = failure;
  const { retryable } = FAILURES[code];
  const message = clean(failure.message);
  const hint = failure.hint && clean(failure.hint);
  return { error: { code, message, hint, service, status, retryable } };
}

/**
 * Any thrown value as a failure. Only oclif's complaints about the command line, the system's about
 * files, and bugs come here as anything else.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Error && isComplaint(error)) return usageFailure(error);
  if (error instanceof Error && 'path' in error && 'code' in error) {
    return fileFailure(String(error.path), String(error.code), error);
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Failure('internal', `leasectl has a bug: ${what}`, {
    hint: 'Run it again with LEASECTL_DEBUG=1 and report what it shows.',
    cause: error,
  });
}

function fileFailure(path: string, code: string, cause: Error): Failure {
  return /^(ENOSPC|EDQUOT|EIO|EMFILE|ENFILE)$/.test(code)
    ? new Failure('unavailable', `${path} cannot be written now (${code}).`, {
        hint: 'Make room, then try again.',
        cause,
      })
    : new Failure('usage', `${path} cannot be used (${code}).`, {
        hint: 'Check its rights, and those of the directories above it.',
        cause,
      });
}

/** The stack of an error and of what caused it, for LEASECTL_DEBUG. */
export function renderStack(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = isComplaint(error) ? framesOf(error) : (error.stack ?? String(error));
  return error.cause === undefined ? own : `${own}\nCaused by: ${renderStack(error.cause)}`;
}

/** oclif's, about the command line. */
function isComplaint(error: Error): boolean {
  return 'oclif' in error && !(error instanceof Failure);
}

/** A stack without the message, which repeats what was typed. */
function framesOf({ name, stack = '' }: Error): string {
  return [name, ...stack.split('\n').filter((line) => /^ +at /.test(line))].join('\n');
}
