import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Canary, secretsIn } from './canaries.ts';

/** What of leasectl's files holds which secrets; elsewhere there are none. */
const BELONGS: readonly (readonly [RegExp, readonly Canary[]])[] = [
  // The repository that all is run in, whose owner wrote them into the address of its remote.
  [/^\.git\/config$/, ['user', 'misfiled']],
  [/^config\/leasectl\/profiles\/[\w-]+\.json$/, ['stored', 'client']],
  [/^state\/leasectl\/handles\.db(-wal)?$/, ['lease', 'lock', 'ack']],
  [/^state\/leasectl\/tokens\/[\da-f]+\.db(-wal)?$/, ['access']],
  // What a command left under a lease, and what the embedded service was told to keep.
  [/^state\/leasectl\/work\/[\da-f]+\/(job|result)\.json$/, ['job']],
  [/^data\/leasectl\/leases\.db(-wal)?$/, ['lease', 'lock', 'ack', 'job', 'input']],
];
/** Where nobody else may look in at all. */
const OWN = /^\w+\/leasectl(\/|$)/;

/** What is wrong with the files below a home directory. */
export function mislaidIn(home: string): string[] {
  return readdirSync(home, { recursive: true }).flatMap((name) => {
    const path = String(name);
    const stat = lstatSync(join(home, path));
    const isShared = (stat.mode & 0o077) !== 0;
    const shared = isShared && OWN.test(path) ? [`${path} is not its owner's alone`] : [];
    if (!stat.isFile()) return shared;
    const allowed = BELONGS.find(([pattern]) => pattern.test(path))?.[1] ?? [];
    const found = secretsIn(readFileSync(join(home, path), 'latin1'));
    const strange = found.filter((secret) => isShared || !allowed.includes(secret));
    return [...shared, ...strange.map((secret) => `${path} has the ${secret} secret`)];
  });
}
