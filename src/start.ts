import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import type { Program } from './own-plugin.ts';
import { cacheOf } from './paths.ts';

/*
 * Loads the bundle with V8's code cache: compiling it anew would take longer than most commands do.
 * Each command has a cache of its own, with what it used of the bundle, for to read what it does not
 * use takes as long. It is made when the command runs for the first time, for every build and every
 * version of Node, and made anew when it used more. Whatever is wrong with it, the bundle runs without.
 */

/** Set by the build; differs whenever the bundle does. */
declare const BUILD_ID: string;
/** Set by the build: the ids of all commands. */
declare const COMMANDS: readonly string[];

/** The name of a cache of any build, be it half written: the directory may have other files, too. */
const WAS_CACHE = /^[0-9a-f]{16}-v[\d.]+-\w+(-[\w.-]+)?(\.\d+)?$/;

/** How long a cache is kept that nobody reads, in milliseconds: two builds may be used in turns. */
const KEPT = 7 * 24 * 3_600_000;

/** In bytes: V8 copies data that begins anywhere else. */
const ALIGNMENT = 8;

/** When a whole cache was written last, in seconds: whatever is done to it later makes it another time. */
const WHOLE = Date.UTC(2000, 0) / 1000;

interface CodeCache {
  /** The numbers of the chunks that are in it. */
  readonly chunks: ReadonlySet<number>;
  readonly data: Uint8Array;
}

/** What the build makes of `main.ts` and all commands. */
interface Bundle extends Program {
  readonly main: (packageDirectory: string, program: Program, command: string) => unknown;
  /** The numbers of the chunks that were evaluated. */
  readonly loaded: readonly number[];
}

/** @param packageDirectory where package.json and dist/ lie */
export function start(packageDirectory: string): void {
  // Without a home there is none: most commands fail for it, and say so.
  const directory = attempt(() => cacheOf(process.env));
  const command = commandIn(process.argv.slice(2));
  // Who has a service elsewhere needs nothing of the embedded one: as if it were another command.
  const far = process.env['LEASECTL_URL'] ? '-far' : '';
  const name = `${BUILD_ID}-${process.version}-${process.arch}-${command.replaceAll(':', '.')}${far}`;

  /** @returns what the script exports */
  function evaluate<T extends object>(part: string, exports: T, cacheName: string): T {
    const file = join(packageDirectory, 'dist', part);
    const cache = directory === undefined ? undefined : readCache(join(directory, cacheName));
    // It is ASCII; to make sure of UTF-8 would take longer than to read it.
    const source = readFileSync(file, 'latin1');
    const script = new Script(source, { filename: file, cachedData: cache?.data });
    script.runInThisContext()(exports, requirePart, file, dirname(file));
    process.on('exit', () => {
      if (directory === undefined) return;
      const known = script.cachedDataRejected ? undefined : cache?.chunks;
      if (known && bundle.loaded.every((chunk) => known.has(chunk))) return;
      const chunks = new Set<number>([...(known ?? []), ...bundle.loaded]);
      writeCache(directory, cacheName, chunks, () => script.createCachedData());
    });
    return exports;
  }
  let rest: object | undefined;
  /** `require` of the scripts. */
  function requirePart(module: string): unknown {
    if (module !== './rest.js') return require(module);
    rest ??= evaluate('rest.js', {}, `${name}-rest`);
    return rest;
  }

  const bundle: Bundle = evaluate('main.js', Object({}), name);
  bundle.main(packageDirectory, bundle, command);
}

/** Which command is run; `help` and `version` stand for what is none. */
function commandIn(argv: readonly string[]): string {
  if (argv[0] === '--version') return 'version';
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  if (own.includes('--help') || own.includes('-h')) return 'help';
  const words = own.filter((word) => !word.startsWith('-'));
  const ids = [3, 2, 1].map((count) => words.slice(0, count).join(':'));
  return ids.find((id) => COMMANDS.includes(id)) ?? 'help';
}

/** Nothing unless the file is whole, this user's, and nobody else may write it: it is code. */
function readCache(file: string): CodeCache | undefined {
  return attempt(() => {
    // Nor is a pipe waited for, which is none.
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    const descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const { uid, mode, size, mtimeMs } = fstatSync(descriptor);
      if (uid !== (process.getuid?.() ?? uid) || (mode & 0o022) !== 0) return undefined;
      if (mtimeMs !== WHOLE * 1000) return undefined;
      const content = new Uint8Array(size);
      readSync(descriptor, content, 0, size, 0);
      const [count = 0] = new Uint16Array(content.buffer, 0, 1);
      const chunks = new Uint16Array(content.buffer, Uint16Array.BYTES_PER_ELEMENT, count);
      return { chunks: new Set(chunks), data: content.subarray(headSize(count)) };
    } finally {
      closeSync(descriptor);
    }
  });
}

/** @returns how many bytes stand before V8's data: the count of the chunks, and their numbers */
function headSize(count: number): number {
  return Math.ceil(((1 + count) * Uint16Array.BYTES_PER_ELEMENT) / ALIGNMENT) * ALIGNMENT;
}

function writeCache(
  directory: string,
  name: string,
  chunks: ReadonlySet<number>,
  create: () => Buffer,
): void {
  const temporary = join(directory, `${name}.${process.pid}`);
  attempt(() => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const head = Buffer.alloc(headSize(chunks.size));
    new Uint16Array(head.buffer, head.byteOffset).set([chunks.size, ...chunks]);
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(descriptor, Buffer.concat([head, create()]));
      // V8 itself does not look for damage, and dies of it: what counts as whole is on the disk.
      fsyncSync(descriptor);
      futimesSync(descriptor, Date.now() / 1000, WHOLE);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, join(directory, name));
    for (const old of readdirSync(directory).filter((file) => WAS_CACHE.test(file))) {
      const { atimeMs } = statSync(join(directory, old));
      if (atimeMs < Date.now() - KEPT) rmSync(join(directory, old), { force: true });
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
