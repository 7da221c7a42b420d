import type { Engine } from './engine/engine.ts';
import type { Store } from './engine/store.ts';
import type { Route } from './http/route.ts';
import type { Trace, Transport } from './http/transport.ts';
import type { ServiceName } from './profiles/profile.ts';

/** What one namespace has of the embedded service. */
export interface Embedded {
  readonly engine: Engine;
  readonly store: Store;
  readonly namespace: string;
}

interface Dialect {
  /** What the base URL of a profile for this service ends with. */
  readonly basePath: string;
  readonly routesOf: (embedded: Embedded) => readonly Route[];
}

/** How the embedded service speaks as each service. */
const DIALECTS: Readonly<Record<ServiceName, () => Promise<Dialect>>> = {
  onceonly: async () => {
    const { onceOnlyRoutes } = await import('./services/onceonly/routes.ts');
    return { basePath: '', routesOf: ({ engine }) => onceOnlyRoutes(engine) };
  },
  retaia: async () => {
    const { BASE_PATH, retaiaRoutes } = await import('./services/retaia/routes.ts');
    return { basePath: BASE_PATH, routesOf: ({ engine }) => retaiaRoutes(engine) };
  },
  askui: async () => {
    const { askUiRoutes } = await import('./services/askui/routes.ts');
    return { basePath: '', routesOf: ({ engine }) => askUiRoutes(engine) };
  },
  leasectl: async () => {
    const [{ adminRoutes }, { accessOn }, { createFeed }, ...dialects] = await Promise.all([
      import('./admin-routes.ts'),
      import('./engines.ts'),
      import('./engine/feed.ts'),
      ...[DIALECTS.onceonly(), DIALECTS.retaia(), DIALECTS.askui()],
    ]);
    const routesOf: Dialect['routesOf'] = (embedded) => [
      ...dialects.flatMap((own) => own.routesOf(embedded)),
      ...adminRoutes(
        {
          ...embedded,
          access: accessOn(embedded.store, embedded.namespace),
          feed: createFeed({ ...embedded.engine, pause }),
        },
        Date.now,
      ),
    ];
    return { basePath: '', routesOf };
  },
};

/** As the server's, but nothing else keeps a command from ending meanwhile. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { setTimeout: delay } = process.getBuiltinModule('node:timers/promises');
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** Where the embedded service begins when it speaks as this one: `local:`, and a path. */
export async function embeddedUrl(service: ServiceName): Promise<URL> {
  const { basePath } = await DIALECTS[service]();
  return new URL(`local:${basePath || '/'}`);
}

/**
 * Speaks to the embedded service, in this process.
 *
 * @param caller says who asks, for others to know
 */
export async function createEmbeddedTransport(
  service: ServiceName,
  embedded: Embedded,
  caller: () => string,
  trace?: Trace,
): Promise<Transport> {
  const [{ createInProcessTransport }, { basePath, routesOf }] = await Promise.all([
    import('./server/in-process.ts'),
    DIALECTS[service](),
  ]);
  const transport = createInProcessTransport(routesOf(embedded), { basePath, caller });
  if (!trace) return transport;
  const { traced } = await import('./http/trace.ts');
  return traced(transport, await embeddedUrl(service), trace);
}
