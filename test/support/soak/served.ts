import { SCOPES } from '../../../src/engine/access.ts';
import type { Store } from '../../../src/engine/store.ts';
import { accessOn } from '../../../src/engines.ts';
import { openStore } from '../../../src/open-store.ts';
import { BIN, createSandbox } from '../sandbox.ts';
import { type ServiceNode, startNode } from './node.ts';

/** Nodes of `leasectl serve` on one database, and that database beside them. */
export interface Served {
  readonly nodes: readonly ServiceNode[];
  readonly store: Store;
  /** What a request has that may everything. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ServedOptions {
  /** A file, or a URL. */
  readonly location: string;
  readonly nodes: number;
  /** Another leasectl than the built one. */
  readonly bin?: string;
}

/** The store is the caller's to close. */
export async function startServed(options: ServedOptions): Promise<Served> {
  const { location, bin = BIN } = options;
  const { env } = createSandbox();
  const store = await openStore({ location, env: {}, remember: (secret) => secret });
  const added = await accessOn(store).addToken({
    name: 'soak',
    scopes: SCOPES,
    lifetime: undefined,
  });
  const nodes = await Promise.all(
    Array.from({ length: options.nodes }, () =>
      startNode({
        args: (port) => [bin, 'serve', '--port', port, '--rate', '0', '--log-level', 'warn'],
        env: { ...env, LEASECTL_DATABASE: location },
        portIn: (line) => /:(\d+)\s*$/.exec(line)?.[1],
      }),
    ),
  );
  return { nodes, store, headers: { authorization: `Bearer ${added?.secret}` } };
}
