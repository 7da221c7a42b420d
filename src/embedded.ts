import type { Engine } from './engine/engine.ts';
import type { Route } from './http/route.ts';
import type { Trace, Transport } from './http/transport.ts';
import type { ServiceName } from './profiles/profile.ts';

interface Dialect {
  /** What the base URL of a profile for this service ends with. */
  readonly basePath: string;
  readonly routesOf: (engine: Engine) => readonly Route[];
}

/** How the embedded service speaks as each service. */
const DIALECTS: Readonly<Record<ServiceName, () => Promise<Dialect>>> = {
  onceonly: async () => {
    const { onceOnlyRoutes } = await import('./services/onceonly/routes.ts');
    return { basePath: '', routesOf: onceOnlyRoutes };
  },
  retaia: async () => {
    const { BASE_PATH, retaiaRoutes } = await import('./services/retaia/routes.ts');
    return { basePath: BASE_PATH, routesOf: retaiaRoutes };
  },
  askui: async () => {
    const { askUiRoutes } = await import('./services/askui/routes.ts');
    return { basePath: '', routesOf: askUiRoutes };
  },
  leasectl: async () => {
    const dialects = await Promise.all([DIALECTS.onceonly(), DIALECTS.retaia(), DIALECTS.askui()]);
    return { basePath: '', routesOf: (engine) => dialects.flatMap((own) => own.routesOf(engine)) };
  },
};

/** Where the embedded service begins when it speaks as this one: `local:`, and a path. */
export async function embeddedUrl(service: ServiceName): Promise<URL> {
  const { basePath } = await DIALECTS[service]();
  return new URL(`local:${basePath || '/'}`);
}

/**
 * Speaks to the embedded service, in this process.
 *
 * @param caller who asks, for others to know
 */
export async function createEmbeddedTransport(
  service: ServiceName,
  engine: Engine,
  caller: string,
  trace?: Trace,
): Promise<Transport> {
  const [{ createInProcessTransport }, { basePath, routesOf }] = await Promise.all([
    import('./server/in-process.ts'),
    DIALECTS[service](),
  ]);
  const transport = createInProcessTransport(routesOf(engine), { basePath, caller });
  if (!trace) return transport;
  const { traced } = await import('./http/trace.ts');
  return traced(transport, await embeddedUrl(service), trace);
}
