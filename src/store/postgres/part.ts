import type { Transaction } from '../../engine/store.ts';
import { Alone, type Batch } from './batch.ts';
import type { Address, Key } from './batch-names.ts';

/** One of those who go together. */
export interface Part {
  readonly transaction: Transaction;
  /** What it looked for before its turn. */
  readonly addresses: readonly Address[];
  readonly keys: readonly Key[];
  readonly isEntered: boolean;
  /** It is its turn. */
  enter(batch: Batch): void;
  /** It is not going to be its turn. */
  leave(): void;
}

/** What waits for its turn, and does no more than acquisitions and changes of one lease need. */
export function bindPart(namespace: string): Part {
  const addresses: Address[] = [];
  const keys: Key[] = [];
  let entered: Batch | undefined;
  let enter: (batch: Batch) => void = () => undefined;
  let leave: (error: Alone) => void = () => undefined;
  const turn = new Promise<Batch>((resolve, reject) => {
    [enter, leave] = [resolve, reject];
  });
  turn.catch(() => undefined);
  const alone = () => Promise.reject(new Alone());
  const transaction: Transaction = {
    get now() {
      if (!entered) throw new Alone();
      return entered.now;
    },
    async find(kind, id) {
      const address = { namespace, kind, id };
      if (!entered) addresses.push(address);
      return (await turn).find(address);
    },
    async findByIdempotencyKey(kind, idempotencyKey) {
      // Who looks for nothing else at once is going to look for what is claimable.
      await undefined;
      if (addresses.length === 0) throw new Alone();
      const key = { namespace, kind, acquired_key: idempotencyKey };
      if (!entered) keys.push(key);
      return (await turn).findByKey(key);
    },
    stored: async () => (await turn).stored(namespace),
    usage: async (month) => (await turn).usage(namespace, month),
    save: async (lease) => (await turn).save({ namespace, kind: lease.kind, id: lease.id }, lease),
    saveEvent: async (event) => (await turn).saveEvent(namespace, event),
    charge: async (month) => (await turn).charge(namespace, month),
    findByHandle: alone,
    claimable: alone,
    findReceipt: alone,
    leases: alone,
    census: alone,
    queue: alone,
    events: alone,
    tail: alone,
    findClient: alone,
    findClientByName: alone,
    clients: alone,
    findGrant: alone,
    findToken: alone,
    findTokenByName: alone,
    tokens: alone,
    hasAccess: alone,
    saveReceipt: alone,
    saveClient: alone,
    removeClient: alone,
    saveGrant: alone,
    saveToken: alone,
  };
  return {
    transaction,
    addresses,
    keys,
    get isEntered() {
      return entered !== undefined;
    },
    enter(batch) {
      entered = batch;
      enter(batch);
    },
    leave: () => leave(new Alone()),
  };
}
