import { posix, win32 } from 'node:path';
import { Failure } from './domain/failure.ts';
import type { Environment } from './profiles/resolve.ts';

export interface Paths {
  /** Directory of profiles and defaults. */
  readonly config: string;
  /** Directory of what is remembered from command to command. */
  readonly state: string;
  /** The embedded service's database. */
  readonly leases: string;
  /** The ledger. */
  readonly handles: string;
  /** Directory of access tokens. */
  readonly tokens: string;
  /** Directory of what commands work with under a lease. */
  readonly work: string;
  /** Directory of what can be made anew at any time. */
  readonly cache: string;
}

/** A base directory: the variable that moves it, and where it is otherwise. */
interface Base {
  readonly xdg: string;
  /** Below the home directory. */
  readonly unix: string;
  readonly windows: { readonly variable: string; readonly usual: string; readonly part: string };
}

const LOCAL = { variable: 'LOCALAPPDATA', usual: 'AppData/Local' };
const BASES = {
  config: {
    xdg: 'XDG_CONFIG_HOME',
    unix: '.config',
    windows: { variable: 'APPDATA', usual: 'AppData/Roaming', part: '' },
  },
  data: { xdg: 'XDG_DATA_HOME', unix: '.local/share', windows: { ...LOCAL, part: 'data' } },
  state: { xdg: 'XDG_STATE_HOME', unix: '.local/state', windows: { ...LOCAL, part: 'state' } },
  cache: { xdg: 'XDG_CACHE_HOME', unix: '.cache', windows: { ...LOCAL, part: 'cache' } },
} as const satisfies Record<string, Base>;

/**
 * Where leasectl keeps its files: in the XDG base directories, also on macOS; on Windows, unless
 * those are set, where programs have theirs.
 */
export function pathsOf(env: Environment, platform = process.platform): Paths {
  const { join } = platform === 'win32' ? win32 : posix;
  const state = directoryOf(BASES.state, env, platform);
  return {
    config: directoryOf(BASES.config, env, platform),
    state,
    leases: join(directoryOf(BASES.data, env, platform), 'leases.db'),
    handles: join(state, 'handles.db'),
    tokens: join(state, 'tokens'),
    work: join(state, 'work'),
    cache: directoryOf(BASES.cache, env, platform),
  };
}

/** `Paths.cache` alone, which is needed before anything else. */
export function cacheOf(env: Environment): string {
  return directoryOf(BASES.cache, env, process.platform);
}

function directoryOf(
  { xdg, unix, windows }: Base,
  env: Environment,
  platform: NodeJS.Platform,
): string {
  const { isAbsolute, join } = platform === 'win32' ? win32 : posix;
  // A relative path is to be ignored, says the XDG specification.
  const chosen = (variable: string) => {
    const path = env[variable];
    return path && isAbsolute(path) ? path : undefined;
  };
  const moved = chosen(xdg);
  if (moved !== undefined) return join(moved, 'leasectl');
  const home = () => homeOf(env, platform, isAbsolute);
  if (platform !== 'win32') return join(home(), unix, 'leasectl');
  const { variable, usual, part } = windows;
  return join(chosen(variable) ?? join(home(), usual), 'leasectl', part);
}

/** An empty or relative one would be another place in every directory. */
function homeOf(
  env: Environment,
  platform: NodeJS.Platform,
  isAbsolute: (path: string) => boolean,
): string {
  const home = env[platform === 'win32' ? 'USERPROFILE' : 'HOME'];
  if (home && isAbsolute(home)) return home;
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir;
  } catch (error) {
    // A user without an entry in the system's list, as in some containers.
    throw new Failure('usage', 'There is no home directory to keep files in.', {
      hint: 'Set HOME to one.',
      cause: error,
    });
  }
}
