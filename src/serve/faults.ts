import { Failure } from '../domain/failure.ts';
import { type Faults, parseFaults } from '../server/faults.ts';

export interface FaultFlags {
  /** As they are written for `--fault`; undefined for none. */
  readonly text: string | undefined;
  /** Whether the database is the one that commands use, because no other is named. */
  readonly isUsual: boolean;
  /** Whether the database is one that other services may share. */
  readonly isShared: boolean;
  /** Whether they are to be made there, too. */
  readonly isForced: boolean;
}

/**
 * The faults to make on purpose.
 *
 * @throws Failure `usage` when they cannot be read, or are not to be made on this database
 */
export async function faultsOf({
  text,
  isUsual,
  isShared,
  isForced,
}: FaultFlags): Promise<Faults | undefined> {
  if (text === undefined) return undefined;
  const faults = await parseFaults(text, newSeed);
  if (isUsual) {
    throw new Failure('usage', 'Faults would be made on the leases of this machine’s commands.', {
      hint: 'Serve another file, which may be new: --database FILE',
    });
  }
  if (!isShared || isForced) return faults;
  throw new Failure('usage', 'Faults would be made on a PostgreSQL, which others may share.', {
    hint: 'Serve a file with --database FILE; or, where nobody else is harmed, add --fault-on-postgres.',
  });
}

function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
