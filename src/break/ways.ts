import type { Context } from '../context.ts';
import type { LeaseAddress } from '../ledger/ledger.ts';
import type { LeaseView, Look } from '../look/lease.ts';

/** How somebody else's lease is ended at a service. */
export interface Way {
  readonly name: 'break' | 'cancel';
  /**
   * Ends it if it is still the acquisition that was seen.
   *
   * @param version if it is given, and the service can tell, only as long as nothing was changed since
   * @returns the state that it is in then
   * @throws Failure when it is not
   */
  end(reason: string, version: number | undefined): Promise<string>;
}

/** @returns undefined where the service leaves that to the holder */
export function wayToEnd(
  context: Context,
  { place, reach, address, kind }: LeaseView,
  { sighting, handle }: Look,
): Way | undefined {
  const { id } = address;
  const { fencingToken } = sighting;
  if (place.isOurs) {
    // Whoever may not administer it could only cancel: then nobody could acquire it any more.
    if (handle !== undefined || fencingToken === undefined) return undefined;
    return {
      name: 'break',
      end: async (reason, version) => {
        const { client } = await context.admin(reach);
        const request = { reason, fencing_token: fencingToken, version };
        return (await client.breakLease({ kind, id }, request)).state;
      },
    };
  }
  if (kind !== 'key' || handle === undefined) return undefined;
  return {
    name: 'cancel',
    end: async (reason) => {
      const { client, addressOf } = await context.onceOnly(reach);
      const { status } = await client.cancel({ key: id, lease_id: handle, reason });
      await forget(context, addressOf(id), handle);
      return status;
    },
  };
}

/** The service has answered: whatever this machine remembers, the lease is ended. */
async function forget(context: Context, address: LeaseAddress, handle: string): Promise<void> {
  try {
    (await context.ledger()).forget(address, handle);
  } catch {
    // The next command that shows the handle learns it from the service.
  }
}
