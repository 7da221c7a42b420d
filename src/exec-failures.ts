import { Failure, type FailureCode } from './domain/failure.ts';
import { isDecision } from './supervise/finish.ts';
import type { HeldWork } from './work.ts';

/*
 * How a command that ran under a lease is told not to have come to a good end. `kept` says where its
 * result is, with a space before it; or nothing.
 */

/** @param name of what the lease is on */
export function lost(name: string, why: Failure, hasBegun: boolean, kept: string): Failure {
  const what = hasBegun ? 'the command was stopped' : 'the command was not started';
  return retold(why, 'lease_lost', `The lease on ${name} is lost: ${what}. ${why.message}${kept}`, {
    hint: 'Nothing was reported as done. Find out how far it came before you run it again.',
  });
}

/** What a signal has brought about, for who wants to try again; a sentence with a space before it. */
export function afterCancel(
  name: string,
  { goesBack, subject }: Pick<HeldWork, 'goesBack' | 'subject'>,
): string {
  if (goesBack) return ' Others may have the job now.';
  const again = 'key' in subject ? ': to try again, name it anew' : '';
  return ` That ends ${name} for good${again}.`;
}

export function stoppedByService(name: string, service: string, kept: string): Failure {
  const message = `${name} was canceled: the command was stopped.${kept}`;
  return new Failure('work_failed', message, {
    hint: 'Somebody asked the service for that; there is nothing left to do.',
    service,
  });
}

export function unusableResult(why: Failure, kept: string): Failure {
  const message = `The command ended with 0, but its result is not usable: ${why.message}${kept}`;
  return retold(why, why.code, message, { hint: why.hint });
}

/**
 * @param exitCode that the command ended with
 * @param again the command line that records its end
 */
export function unfinished(why: Failure, exitCode: number, kept: string, again: string): Failure {
  const isUnknown = why.code === 'unavailable' || why.code === 'bad_response';
  const what = isUnknown
    ? 'it is not known whether that was recorded'
    : 'the service refused to record that';
  const message = `The command ended with ${exitCode}, but ${what}: ${why.message}${kept}`;
  return retold(why, isUnknown ? 'unavailable' : why.code, message, {
    hint: hintFor(why, again),
    outcomeUnknown: isUnknown,
  });
}

function hintFor(why: Failure, again: string): string | undefined {
  if (!isDecision(why)) return `To record it, as long as the lease lasts: ${again}`;
  return why.code === 'lease_lost'
    ? 'Another may do the work now: look at what is stored.'
    : why.hint;
}

function retold(
  why: Failure,
  code: FailureCode,
  message: string,
  details: { readonly hint: string | undefined; readonly outcomeUnknown?: boolean },
): Failure {
  const { service, status, reason } = why;
  return new Failure(code, message, { ...details, service, status, reason, cause: why });
}

/** What is said where nothing is known of a lease that was given back. */
export function notGivenBack(why: Failure): string {
  return `Warning: whether the lease was canceled is unknown; if not, it runs out by itself. ${why.message}`;
}

export const MAYBE_LEASED =
  'Warning: whether the lease was taken is unknown; if it was, it runs out by itself.';
