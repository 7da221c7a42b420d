import { existsSync } from 'node:fs';
import type { Ledger } from './ledger.ts';

/**
 * A ledger that is only looked at: what it holds can be found, and nothing is written down.
 * Where there is none yet none is made.
 *
 * @throws Failure as `open`; so do all methods
 */
export function unwritten(file: string, open: () => Ledger): Ledger {
  const ledger = existsSync(file) ? open() : undefined;
  const nothing = () => undefined;
  return {
    find: (address) => ledger?.find(address),
    idsAt: (place) => ledger?.idsAt(place) ?? [],
    all: () => ledger?.all() ?? [],
    waiting: (address) => ledger?.waiting(address),
    begin: (address, attempt) => {
      const waiting = ledger?.waiting(address);
      return waiting?.handle === attempt.handle ? waiting : attempt;
    },
    replace: nothing,
    settle: nothing,
    remember: nothing,
    prolong: nothing,
    renameProfile: nothing,
    forget: nothing,
    waitAtMost: nothing,
    close: () => ledger?.close(),
  };
}
