import { METHODS } from '../domain/method.ts';
import { flagNamed, type Line, pathIn, readTyped, type Typed } from './line.ts';
import type { Command, Completes, Flag, Surface, Value } from './surface.ts';

export interface Candidate {
  readonly value: string;
  readonly description?: string | undefined;
}

/** What can stand where the cursor is. */
export type Reply =
  /** One of these, after the prefix that the current word begins with. */
  | { readonly kind: 'words'; readonly prefix: string; readonly candidates: readonly Candidate[] }
  /** A file, after the prefix. */
  | { readonly kind: 'files'; readonly prefix: string }
  /** A command of the user's, with its own words: whatever follows `--`. */
  | { readonly kind: 'command' };

/** Which values are wanted. */
export interface Wanted {
  readonly service: 'onceonly' | 'retaia' | 'askui';
  /** The one that is named, e.g. with `--profile`. */
  readonly profile: string | undefined;
  /** Rather those whose leases have not run out. */
  readonly isHeld: boolean;
}

/** Where values come from. */
export interface Sources {
  /** What this machine's ledger holds. */
  held(wanted: Wanted): Promise<readonly Candidate[]>;
  /** The profiles of a service, if it is one; `local` is among them unless files are wanted. */
  profiles(service: string | undefined, areStored: boolean): Promise<readonly Candidate[]>;
}

/** Finds what can stand where the cursor is. It need not begin as the current word does. */
export async function complete(line: Line, surface: Surface, sources: Sources): Promise<Reply> {
  const path = pathIn(line.words, surface);
  const rest = line.words.slice(path.length);
  const command = surface.command(path);
  if (!command) return rest.length > 0 ? words([]) : words(nextWords(path, line.current, surface));
  const typed = readTyped(command, rest);
  if (typed.isPastFlags && command.runsCommand) return { kind: 'command' };
  const offer = (value: Value, prefix: string) =>
    completeValue(value, prefix, line, { typed, surface, sources });
  if (typed.open) return offer(typed.open, '');
  if (!typed.isPastFlags && line.current.startsWith('-')) {
    const [, prefix = '', name = ''] = /^((--[^=]+)=)/.exec(line.current) ?? [];
    const flag = flagNamed(name, command);
    if (flag?.type === 'option') return offer(flag, prefix);
    return words(prefix ? [] : flagsOf(typed));
  }
  const arg = argumentAt(command, typed.args.length);
  if (!arg) return words([]);
  const reply = await offer(arg, '');
  if (reply.kind !== 'words' || typed.isPastFlags) return reply;
  // What looks like a flag would be taken for one.
  return words(reply.candidates.filter(({ value }) => !value.startsWith('-')));
}

function words(candidates: readonly Candidate[], prefix = ''): Reply {
  return { kind: 'words', prefix, candidates };
}

/** The subcommands below a path, and topics on the way to some. */
function nextWords(path: readonly string[], current: string, surface: Surface): Candidate[] {
  if (current.startsWith('-')) {
    const version = { value: '--version', description: 'Show the version' };
    return path.length > 0 ? [HELP] : [HELP, version];
  }
  const below = surface.entries.filter(
    (entry) =>
      entry.path.length > path.length && path.every((word, index) => entry.path[index] === word),
  );
  const next = new Map<string, string | undefined>();
  for (const { path: found, summary } of below) {
    const word = found[path.length] ?? '';
    const own = found.length === path.length + 1 ? summary : undefined;
    next.set(word, next.get(word) ?? own);
  }
  return [...next].map(([value, description]) => ({ value, description }));
}

const HELP: Candidate = { value: '--help', description: 'Show how it is used' };

/** The argument at a place; the last one may be of several words. */
function argumentAt({ args }: Command, index: number): Value | undefined {
  const all = Object.values(args);
  const last = all.at(-1);
  return all[index] ?? (last?.completes === 'command' ? last : undefined);
}

/** The flags that can still be given. */
function flagsOf({ command, flags: given }: Typed): Candidate[] {
  const isExcluded = (flag: Flag) =>
    [...given.keys()].some(
      (name) =>
        flag.exclusive?.includes(name) || command.flags[name]?.exclusive?.includes(flag.name),
    );
  const open = Object.values(command.flags).filter(
    (flag) => !flag.hidden && (flag.multiple || !given.has(flag.name)) && !isExcluded(flag),
  );
  const candidates = open.flatMap((flag) => {
    const description = flag.summary ?? flag.description;
    const names = flag.allowNo ? [`--${flag.name}`, `--no-${flag.name}`] : [`--${flag.name}`];
    return names.map((value) => ({ value, description }));
  });
  return [...candidates, HELP];
}

interface Place {
  readonly typed: Typed;
  readonly surface: Surface;
  readonly sources: Sources;
}

/** What a value can be. @param prefix what stands before it in the same word, e.g. `--profile=` */
async function completeValue(
  value: Value,
  prefix: string,
  { current }: Line,
  place: Place,
): Promise<Reply> {
  if (value.options) {
    return words(
      value.options.map((option) => ({ value: option })),
      prefix,
    );
  }
  if (value.lists) {
    const typed = current.slice(prefix.length);
    const begun = typed.slice(0, typed.lastIndexOf(',') + 1);
    const left = value.lists.filter((one) => !begun.split(',').includes(one));
    return words(
      left.map((one) => ({ value: one })),
      prefix + begun,
    );
  }
  const { completes } = value;
  if (completes && completes !== 'file') return words(await known(completes, place), prefix);
  const form = completes === 'file' ? 'FILE' : String(value.helpValue ?? '');
  const [, at, file] = /(?:^|\|)(?:(@FILE)|(FILE|DIR))(?:\||$)/.exec(form) ?? [];
  if (file) return { kind: 'files', prefix };
  if (at && current.startsWith(`${prefix}@`)) return { kind: 'files', prefix: `${prefix}@` };
  return words([], prefix);
}

/** What of the ledger is wanted. */
const HELD = {
  key: { service: 'onceonly', isHeld: false },
  'held-key': { service: 'onceonly', isHeld: true },
  job: { service: 'retaia', isHeld: false },
  'held-job': { service: 'retaia', isHeld: true },
  'runner-job': { service: 'askui', isHeld: false },
  'held-runner-job': { service: 'askui', isHeld: true },
} as const;

async function known(
  what: Exclude<Completes, 'file'>,
  place: Place,
): Promise<readonly Candidate[]> {
  const { typed, surface, sources } = place;
  const { service } = typed.command;
  switch (what) {
    case 'profile':
    case 'stored-profile':
      return sources.profiles(service, what === 'stored-profile');
    case 'command':
      return nextWords(typed.args, '', surface);
    case 'command-name':
      return surface.entries
        .filter(({ path }) => surface.command(path))
        .map(({ path, summary }) => ({ value: path.join(' '), description: summary }));
    case 'method':
      return METHODS.map((value) => ({ value }));
    default: {
      const profile = typed.flags.get('profile');
      const held = HELD[what === 'lease' ? kindIn(typed) : what];
      return sources.held({ ...held, profile });
    }
  }
}

function kindIn({ flags }: Typed): 'key' | 'job' | 'runner-job' {
  const kind = flags.get('kind')?.replace('_', '-');
  return kind === 'job' || kind === 'runner-job' ? kind : 'key';
}
