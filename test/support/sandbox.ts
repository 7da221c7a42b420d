import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Text for stdin; without it stdin is empty. */
  readonly input?: string;
  /** Where it is run; where the tests are. */
  readonly cwd?: string;
  /** Another program than the built one, e.g. an installed package's. */
  readonly bin?: string;
}

/** A machine of its own for leasectl: its files, and nothing of the developer's environment. */
export interface Sandbox {
  readonly directory: string;
  readonly databaseFile: string;
  readonly ledgerFile: string;
  readonly configDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  start(args: readonly string[], options?: RunOptions): ChildProcess;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Runs with --json, expects success, and parses what it prints. */
  json(args: readonly string[], options?: RunOptions): Promise<unknown>;
}

/** Makes a temporary directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'leasectl-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function createSandbox(): Sandbox {
  const directory = temporaryDirectory();
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    XDG_CONFIG_HOME: join(directory, 'config'),
    XDG_DATA_HOME: join(directory, 'data'),
    XDG_STATE_HOME: join(directory, 'state'),
    // Shared: what is in it depends on the build alone, and is made anew in no time.
    XDG_CACHE_HOME: join(tmpdir(), 'leasectl-test-cache'),
    TZ: 'UTC',
    // Never the keyring of whoever runs the tests.
    LEASECTL_STORAGE: 'file',
  };
  const start: Sandbox['start'] = (args, { env: more = {}, input, cwd, bin = BIN } = {}) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...env, ...more } });
    // A command that ends without reading leaves a broken pipe: not what is tested.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    return child;
  };
  const run: Sandbox['run'] = (args, options) => outcomeOf(start(args, options));
  return {
    directory,
    databaseFile: join(env.XDG_DATA_HOME, 'leasectl', 'leases.db'),
    ledgerFile: join(env.XDG_STATE_HOME, 'leasectl', 'handles.db'),
    configDirectory: join(env.XDG_CONFIG_HOME, 'leasectl'),
    env,
    start,
    run,
    json: async (args, options) => {
      const { code, stdout, stderr } = await run([...args, '--json'], options);
      if (code !== 0) throw new Error(`leasectl ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
  };
}

/** Stores a profile with a token. */
export function addProfile(
  { json }: Sandbox,
  name: string,
  url: string,
  token = 'token',
  service = 'onceonly',
): Promise<unknown> {
  const args = ['profile', 'add', name, '--service', service, '--url', url, '--token-stdin'];
  return json(args, { input: token });
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
}
