import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { pathsOf } from './paths.ts';

/*
 * Loads the bundle with V8's code cache: compiling it anew would take longer than most commands do.
 * The cache grows with each command that runs for the first time, and is made anew for every build
 * and every version of Node. Whatever is wrong with it, the bundle runs without.
 */

/** Set by the build; differs whenever the bundle does. */
declare const BUILD_ID: string;

/** The name of a cache of this build, for any Node. */
const IS_CACHE = new RegExp(`^${BUILD_ID}-v[\\d.]+-\\w+$`);
/** The name of a cache of any build, be it half written: the directory may have other files, too. */
const WAS_CACHE = /^[0-9a-f]{16}-v[\d.]+-\w+(\.\d+)?$/;

interface CodeCache {
  /** The commands whose functions are in it. */
  readonly commands: readonly string[];
  readonly data: Buffer;
}

/** @param packageDirectory where package.json and dist/ lie */
export function start(packageDirectory: string): void {
  const file = join(packageDirectory, 'dist', 'main.js');
  const directory = pathsOf(process.env).cache;
  const name = `${BUILD_ID}-${process.version}-${process.arch}`;
  const cache = readCache(join(directory, name));

  const module = new Module(file);
  const require = createRequire(file);
  // oclif finds the commands by requiring the bundle: it has to get this very instance.
  require.cache[file] = module;
  const script = new Script(Module.wrap(readFileSync(file, 'utf8')), {
    filename: file,
    cachedData: cache?.data,
  });
  script.runInThisContext()(module.exports, require, module, file, packageDirectory);
  module.loaded = true;

  const { main, COMMANDS } = module.exports;
  const command = commandIn(process.argv.slice(2), Object.keys(COMMANDS));
  const known = script.cachedDataRejected ? [] : (cache?.commands ?? []);
  if (!known.includes(command)) {
    process.on('exit', () => {
      writeCache(directory, name, [...known, command], () => script.createCachedData());
    });
  }
  main(pathToFileURL(`${packageDirectory}/`));
}

/** Which command is run; `help` stands for everything that is none. */
function commandIn(argv: readonly string[], commands: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith('-'));
  const ids = [3, 2, 1].map((count) => words.slice(0, count).join(':'));
  return ids.find((id) => commands.includes(id)) ?? 'help';
}

/** Nothing unless the file is whole, this user's, and nobody else may write it: it is code. */
function readCache(file: string): CodeCache | undefined {
  return attempt(() => {
    const descriptor = openSync(file, 'r');
    try {
      const { uid, mode } = fstatSync(descriptor);
      if (uid !== (process.getuid?.() ?? uid) || (mode & 0o022) !== 0) return undefined;
      const content = readFileSync(descriptor);
      const end = content.indexOf('\n');
      const [checksum, ...commands] = content.toString('latin1', 0, end).split(' ');
      const data = content.subarray(end + 1);
      return Number(checksum) === crc32(data) ? { commands, data } : undefined;
    } finally {
      closeSync(descriptor);
    }
  });
}

function writeCache(
  directory: string,
  name: string,
  commands: readonly string[],
  create: () => Buffer,
): void {
  const temporary = join(directory, `${name}.${process.pid}`);
  attempt(() => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const data = create();
    // V8 itself does not look for damage, and dies of it.
    const head = [crc32(data), ...commands].join(' ');
    const content = Buffer.concat([Buffer.from(`${head}\n`), data]);
    writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 });
    renameSync(temporary, join(directory, name));
    for (const old of readdirSync(directory)) {
      if (WAS_CACHE.test(old) && !IS_CACHE.test(old)) rmSync(join(directory, old), { force: true });
    }
  });
  attempt(() => rmSync(temporary, { force: true }));
}

/** A cache that cannot be read or kept makes commands slower, and must not make them fail. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
