import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import type { LeaseAddress } from '../ledger/ledger.ts';
import { LOCAL } from '../profiles/profile.ts';
import { keyIn } from '../profiles/project.ts';
import { resolveSettings, type Settings } from '../profiles/resolve.ts';
import { DIALECT_OF, type LeaseView, openPlace } from './place.ts';

export type { LeasePlace, LeaseView, Look, OpenPlace } from './place.ts';
export { openPlace } from './place.ts';

/** A lease that somebody asks for by its id. */
export interface Wanted {
  readonly id: string;
  /** Of `--kind`; undefined where that is to be found out. */
  readonly kind?: LeaseKind | undefined;
}

/**
 * Finds which service an id belongs to, and connects there: what `--kind` and the profile say, else
 * where this machine has its handle, else what the id looks like, else the only hosted service that
 * something leads to.
 *
 * @throws Failure as `openPlace`
 */
export async function openLeaseView(
  context: Context,
  { id, kind }: Wanted,
  options: ConnectOptions,
): Promise<LeaseView> {
  const key = await keyMeant(context, id);
  const meant = kind ?? (await kindOfPlace(context, options));
  const noted = await notedAs(context, id, key);
  const own = noted.filter(
    ({ service, profile }) =>
      (meant === undefined || service === DIALECT_OF[meant]) &&
      (options.profile === undefined || profile === options.profile),
  );
  const found = meant ?? kindOfNoted(own) ?? (await kindOf(context, id, options));
  const live = own.filter(({ expiresAt }) => expiresAt > context.now());
  const profile = options.profile ?? (await profileHolding(context, found, live));
  const place = await openPlace(context, found, { ...options, profile });
  return place.view(found === 'key' ? key : id);
}

/** As the project means a key, if there is one. */
async function keyMeant(context: Context, id: string): Promise<string> {
  const project = await context.project();
  return project ? keyIn(project, id) : id;
}

/** What this machine has handles of by this id: of a key, or of a job. */
async function notedAs(context: Context, id: string, key: string) {
  const { notedWithId } = await import('../ledger/look.ts');
  const isOfKey = ({ service }: LeaseAddress) => service === DIALECT_OF.key;
  const file = context.paths.handles;
  const keys = notedWithId(file, key).filter(isOfKey);
  return [...keys, ...notedWithId(file, id).filter((noted) => !isOfKey(noted))].toSorted(
    (one, other) => other.expiresAt - one.expiresAt,
  );
}

/** The one whose leases are kept at a service. */
function kindAt(service: string | undefined): LeaseKind | undefined {
  return KINDS.find((kind) => DIALECT_OF[kind] === service);
}

const KINDS = ['key', 'job', 'runner_job'] as const satisfies readonly LeaseKind[];

function kindOfNoted([first]: readonly LeaseAddress[]): LeaseKind | undefined {
  return kindAt(first?.service);
}

/** The kind of a profile that is named, or of what the environment names, where it has only one. */
async function kindOfPlace(
  context: Context,
  { profile: flag }: ConnectOptions,
): Promise<LeaseKind | undefined> {
  const { env, profiles } = context;
  const named = flag ?? env['LEASECTL_PROFILE'];
  if (env['LEASECTL_SERVICE'] && named !== LOCAL) return kindAt(env['LEASECTL_SERVICE']);
  if (!named || named === LOCAL) return undefined;
  return kindAt((await profiles.get(named)).service);
}

/** As the ids of leasectl's own service look, and of those that are made like most are made. */
const OWN_ID = /^(r?job)_[0-9a-z]{18,}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function kindOf(context: Context, id: string, options: ConnectOptions): Promise<LeaseKind> {
  const [, prefix] = OWN_ID.exec(id) ?? [];
  if (prefix !== undefined) return prefix === 'job' ? 'job' : 'runner_job';
  const hosted: LeaseKind[] = [];
  for (const kind of KINDS) {
    const settings = await settingsOf(context, kind, options.profile);
    if (settings?.url && settings.service !== 'leasectl') hosted.push(kind);
  }
  const [only, ...others] = UUID.test(id) ? hosted.filter((kind) => kind !== 'key') : hosted;
  return only !== undefined && others.length === 0 ? only : 'key';
}

/**
 * The profile by which this machine holds it, where the usual one for it does not: undefined for the
 * usual one.
 */
async function profileHolding(
  context: Context,
  kind: LeaseKind,
  noted: readonly LeaseAddress[],
): Promise<string | undefined> {
  const held = noted.filter(({ service }) => service === DIALECT_OF[kind]);
  const [first] = held;
  if (first === undefined) return undefined;
  const usual = await settingsOf(context, kind, undefined);
  const name = usual && (usual.profile?.value ?? usual.url?.source ?? LOCAL);
  if (name !== undefined && held.some(({ profile }) => profile === name)) return undefined;
  const names = [LOCAL, ...(await context.profiles.names())];
  return held.map(({ profile }) => profile).find((profile) => names.includes(profile));
}

/** What commands for a kind would talk to; undefined where that cannot be said. */
async function settingsOf(
  context: Context,
  kind: LeaseKind,
  flag: string | undefined,
): Promise<Settings | undefined> {
  try {
    return await resolveSettings(await context.selection(DIALECT_OF[kind], flag));
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
