import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import { SERVICE_NAMES, type ServiceName } from '../profiles/profile.ts';
import { resolveSettings, type Settings } from '../profiles/resolve.ts';

/** What the commands of a service would talk to, as things are. */
export interface Resolution {
  readonly service: ServiceName;
  /** Undefined where nothing can be talked to; why is told where the cause is looked at. */
  readonly settings: Settings | undefined;
}

export function resolutionsOf(context: Context): Promise<Resolution[]> {
  return Promise.all(
    SERVICE_NAMES.map(async (service) => {
      try {
        const selection = await context.selection(service, undefined);
        return { service, settings: await resolveSettings(selection) };
      } catch (error) {
        if (error instanceof Failure) return { service, settings: undefined };
        throw error;
      }
    }),
  );
}
