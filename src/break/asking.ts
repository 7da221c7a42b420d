import type { Context } from '../context.ts';
import type { LeaseView } from '../look/lease.ts';
import { visible } from '../terminal/visible.ts';
import { type BreakPorts, type BreakResult, breakLease } from './lease.ts';
import { named, problemOfReason, short } from './words.ts';

/** How a person at the terminal, if there is one, is told and asked while a lease is broken. */
export async function portsAt(
  context: Context,
  { isAsking, isQuiet }: { readonly isAsking: boolean; readonly isQuiet: boolean },
): Promise<BreakPorts> {
  const { terminal, redactor } = context;
  const safe = (text: string) => redactor.clean(visible(text));
  const isShown = terminal.isInteractive('stderr') && !isQuiet;
  const isMeant = async (id: string) => {
    const prompts = await terminal.prompts();
    const asked = `Type ${safe(short(id))} to break its lease, or nothing to keep it:`;
    const answer = await prompts.text(asked, undefined, (typed) =>
      typed === '' || isSame(typed, id) ? undefined : `That is not ${short(id)}.`,
    );
    return answer !== '';
  };
  return {
    clocks: await context.clocks(),
    tell: (line) => {
      if (!isQuiet) terminal.writeError(safe(line));
    },
    show: (line) => {
      if (line === undefined) terminal.clearProgress();
      else if (isShown) terminal.showProgress(safe(line));
    },
    isMeant: isAsking ? isMeant : undefined,
  };
}

/** What cannot be typed may be typed as it is shown. */
function isSame(typed: string, id: string): boolean {
  return [id, visible(id), visible(short(id))].some((form) => form.trim() === typed);
}

/**
 * Breaks a lease that somebody chose at a terminal: asks why, and whether it is meant. Nothing else
 * may read or write there meanwhile.
 *
 * @param signal ends it, with nothing done; of a question that waits for its answer nothing comes then
 * @returns undefined where nothing was to be done after all
 * @throws Failure as `breakLease`
 */
export async function breakByAsking(
  context: Context,
  view: LeaseView,
  signal?: AbortSignal,
): Promise<BreakResult | undefined> {
  const prompts = await context.terminal.prompts();
  const safe = context.redactor.clean(visible(named(view)));
  const asked = `${safe}. Why is it to be broken (nothing to keep it)?`;
  const reason = await prompts.text(asked, undefined, (typed) =>
    typed === '' ? undefined : problemOfReason(typed),
  );
  if (reason === '') return undefined;
  const ports = { ...(await portsAt(context, { isAsking: true, isQuiet: false })), signal };
  const result = await breakLease(context, { view, reason, observe: undefined }, ports);
  return result.outcome === 'kept' ? undefined : result;
}
