import type { Store } from '../../../src/engine/store.ts';
import { openStore } from '../../../src/open-store.ts';
import { BIN, createSandbox } from '../sandbox.ts';
import { type ServiceNode, startNode } from './node.ts';

/** Nodes of `leasectl serve` on one database, and that database beside them. */
export interface Served {
  readonly nodes: readonly ServiceNode[];
  readonly store: Store;
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
  const nodes = await Promise.all(
    Array.from({ length: options.nodes }, () =>
      startNode({
        args: (port) => [bin, 'serve', '--port', port, '--log-level', 'warn'],
        env: { ...env, LEASECTL_DATABASE: location },
        portIn: (line) => /:(\d+)\s*$/.exec(line)?.[1],
      }),
    ),
  );
  const store = await openStore({ location, env: {}, remember: (secret) => secret });
  return { nodes, store };
}
