import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
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

/** The name of a cache of this build, for any command and any Node. */
const IS_CACHE = new RegExp(`^${BUILD_ID}-v`);
/** The name of a cache of any build, be it half written: the directory may have other files, too. */
const WAS_CACHE = /^[0-9a-f]{16}-v[\d.]+-\w+(-[\w.-]+)?(\.\d+)?$/;

/** In bytes: V8 copies data that begins anywhere else. */
const ALIGNMENT = 8;

/** Bytes that are compared at once. */
const PART = 65_536;

interface CodeCache {
  /** The numbers of the chunks that are in it. */
  readonly chunks: ReadonlySet<number>;
  readonly data: Uint8Array;
}

/** What the build makes of `main.ts` and all commands. */
interface Bundle extends Program {
  readonly main: (packageDirectory: string, program: Program) => unknown;
  /** The numbers of the chunks that were evaluated. */
  readonly loaded: readonly number[];
}

/** @param packageDirectory where package.json and dist/ lie */
export function start(packageDirectory: string): void {
  const file = join(packageDirectory, 'dist', 'main.js');
  const directory = cacheOf(process.env);
  const command = commandIn(process.argv.slice(2)).replaceAll(':', '.');
  // Who has a service elsewhere needs nothing of the embedded one: as if it were another command.
  const far = process.env['LEASECTL_URL'] ? '-far' : '';
  const name = `${BUILD_ID}-${process.version}-${process.arch}-${command}${far}`;
  const cache = readCache(join(directory, name));

  // It is ASCII; to make sure of UTF-8 would take longer than to read it.
  const source = readFileSync(file, 'latin1');
  const script = new Script(source, { filename: file, cachedData: cache?.data });
  const bundle: Bundle = Object({});
  script.runInThisContext()(bundle, require, file, dirname(file));

  const { main, loaded } = bundle;
  process.on('exit', () => {
    const known = script.cachedDataRejected ? undefined : cache?.chunks;
    if (known && loaded.every((chunk) => known.has(chunk))) return;
    const chunks = new Set<number>([...(known ?? []), ...loaded]);
    writeCache(directory, name, chunks, () => script.createCachedData());
  });
  main(packageDirectory, bundle);
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

/**
 * Nothing unless the file is whole, this user's, and nobody else may write it: it is code. What is done
 * to its bytes is done by V8 itself: functions of Node's would have to be compiled first.
 */
function readCache(file: string): CodeCache | undefined {
  return attempt(() => {
    const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const { uid, mode, size } = fstatSync(descriptor);
      if (uid !== (process.getuid?.() ?? uid) || (mode & 0o022) !== 0) return undefined;
      const half = size / 2;
      const content = new Uint8Array(half);
      readSync(descriptor, content, 0, half, 0);
      const part = new Uint8Array(Math.min(half, PART));
      for (let at = 0; at < half; at += part.length) {
        const read = readSync(descriptor, part, 0, Math.min(part.length, half - at), half + at);
        const same = content.subarray(at, at + read);
        if (Buffer.compare(part.subarray(0, read), same) !== 0) return undefined;
      }
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
    // V8 itself does not look for damage, and dies of it. What computes a checksum would take Node
    // longer to load than all the rest of this file: so all of it stands there twice.
    const head = Buffer.alloc(headSize(chunks.size));
    new Uint16Array(head.buffer, head.byteOffset).set([chunks.size, ...chunks]);
    const content = Buffer.concat([head, create()]);
    writeFileSync(temporary, Buffer.concat([content, content]), { flag: 'wx', mode: 0o600 });
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
