import { FAILURES, Failure } from '../domain/failure.ts';
import { isJsonObject } from '../domain/json.ts';
import { visible } from '../terminal/visible.ts';
import type { Style } from './style.ts';

/** A failure for people: what happened, and what to do next. */
export function renderFailure(failure: Failure, { paint }: Style): string {
  const lines = [`${paint.red('Error:')} ${cut(visible(failure.message))}`];
  if (failure.hint) lines.push(`${paint.dim('Hint:')} ${cut(visible(failure.hint))}`);
  return lines.join('\n');
}

/** A key can be longer than what anybody reads. */
function cut(text: string): string {
  return text.length > 1_000 ? `${text.slice(0, 999)}…` : text;
}

/** A failure for programs; absent fields are left out. */
export function failureToJson(failure: Failure): object {
  const { code, message, hint, service, status } = failure;
  const { retryable } = FAILURES[code];
  return { error: { code, message, hint, service, status, retryable } };
}

/**
 * Any thrown value as a failure. Only oclif's complaints about the command line, the system's about
 * files, and bugs come here as anything else.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Error && 'oclif' in error) return usageFailure(error);
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

/** oclif's messages have lists and a pointer to --help on lines of their own. */
function usageFailure(error: Error): Failure {
  const [said = ''] = error.message.split(/\n\n|\nSee more help/);
  const missing =
    'args' in error && Array.isArray(error.args) ? error.args.filter(isJsonObject) : [];
  const line =
    missing.length > 0
      ? `Missing ${missing.map(({ name }) => String(name).toUpperCase()).join(', ')}`
      : said
          .replace(/^The following errors? occurred:/, '')
          .replace(/(--[\w-]+)=true\b/g, '$1')
          .replace(/\s+/g, ' ')
          .trim();
  const message = line.replace(/\.?$/, '.');
  return new Failure('usage', message, { hint: 'See --help for how it is used.', cause: error });
}

/** The stack of an error and of what caused it, for LEASECTL_DEBUG. */
export function renderStack(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? String(error);
  return error.cause === undefined ? own : `${own}\nCaused by: ${renderStack(error.cause)}`;
}
