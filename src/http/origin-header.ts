import { isTooDeep, parseJson } from '../domain/json.ts';
import { ORIGIN_FIELD, type Origin, parseOrigin } from '../domain/origin.ts';
import type { RouteRequest } from './route.ts';

/** Tells leasectl's own service where a job is leased, for which its contracts have no field. */
export const ORIGIN_HEADER = 'leasectl-origin';

/** The header as it is described to those who call the service. */
export const ORIGIN_HEADERS = {
  [ORIGIN_HEADER]:
    'Where the lease is taken, for whoever looks at it: an object as JSON in ASCII, with host, user, pid, pid_namespace, boot_id, started, command, repository, commit, and ci with provider, url, job and actor. What is not understood is left out.',
};

/** In characters. Longer headers are refused on the way by some; an origin that long is none. */
const LONGEST = 4_000;

/** The header that tells it, as JSON in ASCII. */
export function originHeader(origin: Origin | undefined): Readonly<Record<string, string>> {
  if (origin === undefined) return {};
  const value = JSON.stringify(origin).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return value.length > LONGEST ? {} : { [ORIGIN_HEADER]: value };
}

/** What a lease's metadata has of that header. It is only for people: what is wrong with it is no error. */
export function originMetadata({ header }: RouteRequest): { readonly [ORIGIN_FIELD]?: Origin } {
  const value = header(ORIGIN_HEADER) ?? '';
  const origin = isTooDeep(value) ? undefined : parseOrigin(parseJson(value));
  return origin ? { [ORIGIN_FIELD]: origin } : {};
}
