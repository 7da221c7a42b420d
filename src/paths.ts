import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
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

/** Where leasectl keeps its files: in the XDG base directories, also on macOS. */
export function pathsOf(env: Environment): Paths {
  const base = (variable: string, fallback: string) => {
    const chosen = env[variable];
    // A relative path is to be ignored, says the XDG specification.
    const directory = chosen && isAbsolute(chosen) ? chosen : join(homeOf(env), fallback);
    return join(directory, 'leasectl');
  };
  const state = base('XDG_STATE_HOME', '.local/state');
  return {
    config: base('XDG_CONFIG_HOME', '.config'),
    state,
    leases: join(base('XDG_DATA_HOME', '.local/share'), 'leases.db'),
    handles: join(state, 'handles.db'),
    tokens: join(state, 'tokens'),
    work: join(state, 'work'),
    cache: base('XDG_CACHE_HOME', '.cache'),
  };
}

/** An empty or relative one would be another place in every directory. */
function homeOf({ HOME }: Environment): string {
  if (HOME && isAbsolute(HOME)) return HOME;
  try {
    return userInfo().homedir;
  } catch (error) {
    // A user without an entry in the system's list, as in some containers.
    throw new Failure('usage', 'There is no home directory to keep files in.', {
      hint: 'Set HOME to one.',
      cause: error,
    });
  }
}
