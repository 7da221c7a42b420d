// The package that was built, its processes, and the places that they work in.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const BIN = join(ROOT, 'bin', 'run.js');
/** What is fetched or built for benchmarks, and kept. */
export const CACHE = join(ROOT, 'node_modules', '.bench');
/** What the project itself makes databases with, and opens them; as `loadProject` builds it. */
export const PROJECT = join(CACHE, 'grown.mjs');

/** What a package is installed with. */
const FILES = ['bin', 'dist', 'oclif.manifest.json', 'package.json'];

/** @returns a directory of its own, and what removes it */
export function makePlace() {
  const directory = mkdtempSync(join(tmpdir(), 'leasectl-bench-'));
  // Nothing of whoever measures decides: neither settings nor NODE_OPTIONS.
  const env = { PATH: process.env.PATH, HOME: directory, LEASECTL_STORAGE: 'file' };
  return { directory, env, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/**
 * Runs it to its end.
 *
 * @returns milliseconds from its start to its end
 * @throws Error unless it ends well
 */
export function timed(file, args, env, input) {
  const begun = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(file, args, { env, input });
  const took = Number(process.hrtime.bigint() - begun) / 1e6;
  if (status !== 0) {
    throw new Error(`${args.join(' ')} ended with ${status}: ${error ?? stderr}`);
  }
  return took;
}

/** @returns the bin/run.js of a copy of the package */
export function copyPackage(directory) {
  mkdirSync(directory);
  for (const file of FILES) cpSync(join(ROOT, file), join(directory, file), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'bin', 'run.js');
}

/**
 * A program of Node in a process of its own that prints its port in a line when it listens.
 *
 * @returns its address, its process, and what ends it
 */
export async function startServer(args, env) {
  const stdio = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, args, { env, stdio });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(child.stdout, 'data').then(String), ended]);
  const [, port] = /(\d+)\s*$/.exec(line) ?? [];
  if (port === undefined) throw new Error(`${args.join(' ')} did not listen`);
  return {
    url: `http://127.0.0.1:${port}`,
    port: Number(port),
    pid: child.pid,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await ended;
    },
  };
}

/** OnceOnly, as far as who asks it is concerned. */
export function startStub() {
  return startServer([fileURLToPath(new URL('onceonly-stub.mjs', import.meta.url))]);
}

/** What makes leasectl talk to a service, in its environment. */
export function hostedAt(url) {
  return { LEASECTL_URL: url, LEASECTL_TOKEN: 'once_live_bench' };
}

/**
 * A version of Node as npm has it.
 *
 * @param version for example 24
 * @returns its file; it is fetched once, and kept
 */
export function nodeOf(version) {
  const directory = join(CACHE, `node-${version}`);
  const file = join(directory, 'package', 'bin', 'node');
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true });
    const run = (program, args) => {
      const { status, stdout } = spawnSync(program, args, { cwd: directory, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
      return stdout.trim();
    };
    const name = `node-${process.platform}-${process.arch}@${version}`;
    const tarball = run('npm', ['pack', '--silent', name]);
    run('tar', ['-xzf', tarball, 'package/bin/node']);
    rmSync(join(directory, tarball));
  }
  return file;
}

/** @param file a node */
export function versionOf(file) {
  return spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout.trim();
}
