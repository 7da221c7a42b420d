import type { Diagnosis } from './diagnosis.ts';

/** What the service did not tell, where somebody would like to know. Programs read these names. */
export const UNTOLD = ['state', 'holder', 'since', 'renewals', 'end', 'history'] as const;
export type Untold = (typeof UNTOLD)[number];

/** @param hasState whether the service itself told what it is */
export function untoldIn({ facts, renewals }: Diagnosis, hasState: boolean): Untold[] {
  const { sighting, history, origin } = facts;
  if (sighting.state === 'never_seen') return [];
  const isHeld = sighting.state === 'held';
  const isUnknown = sighting.state === 'untold';
  const untold: Readonly<Record<Untold, boolean>> = {
    state: !hasState,
    holder: (isHeld || isUnknown) && sighting.holder === undefined && origin === undefined,
    since: isHeld && sighting.acquiredAt === undefined,
    renewals: isHeld && renewals === undefined,
    end: (isHeld || isUnknown) && sighting.endsAt === undefined,
    history: history === undefined,
  };
  return UNTOLD.filter((name) => untold[name]);
}

/** As they stand in a sentence. */
export const UNTOLD_WORDS: Readonly<Record<Untold, string>> = {
  state: 'whether it is held or finished',
  holder: 'who holds it',
  since: 'since when',
  renewals: 'how regularly it is renewed',
  end: 'when it ends',
  history: 'what happened to it before, and who else asked',
};
