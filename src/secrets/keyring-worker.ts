import type * as Library from '@napi-rs/keyring';

/*
 * What the keyring's process does: one order, and one answer, each a line of JSON. It is a process of
 * its own because the library cannot be trusted to come back: it opens the keyring synchronously, for
 * ever where the message bus hangs; and what waits for an answer, as for somebody to unlock the
 * keyring, holds up the end of its process, whatever the process does to end.
 */

export type Order =
  | { readonly operation: 'read' | 'forget' | 'probe'; readonly account: string }
  | { readonly operation: 'keep'; readonly account: string; readonly value: string };

/**
 * `absent`: this system has no keyring. `refused`: it has, but the keyring did not do it. Both with
 * the library's own words.
 */
export type Answer =
  | { readonly type: 'done'; readonly value: string | null }
  | { readonly type: 'absent' | 'refused'; readonly why: string };

/** Under what name everything of leasectl is in the keyring. */
const SERVICE = 'leasectl';

/**
 * A failure to open the keyring that took so many milliseconds means that it is slow, not that there
 * is none: the library gives up after 2 s.
 */
const SLOW = 1_000;
/** Between two attempts to open it, in milliseconds. */
const PAUSE = 10;

/** The value is the secret's where one was read, null where there was none, and null for all else. */
export async function carryOut(order: Order): Promise<Answer> {
  let library: typeof Library;
  try {
    library = await import('@napi-rs/keyring');
  } catch {
    return { type: 'absent', why: 'the native module for this system is not installed' };
  }
  let entry: Library.AsyncEntry;
  try {
    entry = await open(library, order.account);
  } catch (error) {
    return { type: 'absent', why: wordsOf(error) };
  }
  try {
    return { type: 'done', value: await use(entry, order) };
  } catch (error) {
    return { type: 'refused', why: wordsOf(error) };
  }
}

/** Tries a slow keyring again and again: whoever gave the order knows how long it is waited for. */
async function open({ AsyncEntry }: typeof Library, account: string): Promise<Library.AsyncEntry> {
  for (;;) {
    const began = performance.now();
    try {
      // Without that, Linux's kernel would keep it where there is no Secret Service: until it restarts.
      return new AsyncEntry(SERVICE, account, { linux: { store: 'secret-service' } });
    } catch (error) {
      if (performance.now() - began < SLOW) throw error;
      // Leaves room for the news that nobody waits any longer.
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

async function use(entry: Library.AsyncEntry, order: Order): Promise<string | null> {
  switch (order.operation) {
    case 'read':
      return entry.getPassword();
    case 'keep':
      await entry.setPassword(order.value);
      return null;
    case 'forget':
      await entry.deleteCredential();
      return null;
    case 'probe':
      // Reading what is not there succeeds where the keyring is locked, too.
      await entry.setPassword('probe');
      await entry.deleteCredential();
      return null;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
