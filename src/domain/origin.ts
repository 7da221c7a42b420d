import { isJsonObject } from './json.ts';

/** Where a lease was taken, as the one who took it says; the words are those of its JSON form. */
export interface Origin {
  readonly host?: string | undefined;
  readonly user?: string | undefined;
  /** Of the leasectl that took it. It holds the lease while it lives where `command` is one of exec's. */
  readonly pid?: number | undefined;
  /** Where pids are counted on their own, as in containers: only there the pid is meant. */
  readonly pid_namespace?: string | undefined;
  /** What the system was given as it started, on which the process runs: no other one has it. */
  readonly boot_id?: string | undefined;
  /** When the process began, in the system's ticks since then. */
  readonly started?: number | undefined;
  /** The command that took it, e.g. `exec` or `jobs claim`. */
  readonly command?: string | undefined;
  /** Of the directory that it ran in; without credentials. */
  readonly repository?: string | undefined;
  readonly commit?: string | undefined;
  readonly ci?: CiRun | undefined;
}

/** A run of a CI system. */
export interface CiRun {
  /** e.g. `GitHub Actions`. */
  readonly provider?: string | undefined;
  readonly url?: string | undefined;
  readonly job?: string | undefined;
  readonly actor?: string | undefined;
}

/** What an origin is called in a lease's metadata, beside the words of whoever took it. */
export const ORIGIN_FIELD = 'leasectl';

const TEXTS = [
  ...(['host', 'user', 'pid_namespace', 'boot_id', 'command', 'repository', 'commit'] as const),
] as const;
const CI_TEXTS = ['provider', 'url', 'job', 'actor'] as const;
/** In characters. What is longer is no name of anything, and is cut. */
const LONGEST = 300;

/** The origin in a lease's metadata, which anybody may have written: what is none of it is left out. */
export function originIn(metadata: unknown): Origin | undefined {
  return isJsonObject(metadata) ? parseOrigin(metadata[ORIGIN_FIELD]) : undefined;
}

/** The origin that a value is, as {@link originIn}. */
export function parseOrigin(value: unknown): Origin | undefined {
  if (!isJsonObject(value)) return undefined;
  const { pid, started, ci } = value;
  const run = isJsonObject(ci) ? textsIn(ci, CI_TEXTS) : {};
  const origin: Origin = {
    ...textsIn(value, TEXTS),
    ...(isCount(pid) ? { pid } : {}),
    ...(isCount(started) ? { started } : {}),
    ...(isEmpty(run) ? {} : { ci: run }),
  };
  return isEmpty(origin) ? undefined : origin;
}

function textsIn<Name extends string>(
  value: { readonly [name: string]: unknown },
  names: readonly Name[],
): { readonly [name in Name]?: string } {
  const texts: { [name in Name]?: string } = {};
  for (const name of names) {
    const text = value[name];
    if (typeof text === 'string' && text !== '') texts[name] = short(text);
  }
  return texts;
}

/** No half of a character is left at the end, and nothing that a database could not store. */
function short(text: string): string {
  return text.slice(0, LONGEST).toWellFormed().replaceAll('\0', '\u{fffd}');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
