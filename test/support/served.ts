import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Scope } from '../../src/engine/access.ts';
import { accessOn } from '../../src/engines.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Outcome, outcomeOf, type RunOptions, type Sandbox } from './sandbox.ts';

/** `leasectl serve` in a process of its own. */
export interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  /** What became of it, once it has ended. */
  readonly outcome: Promise<Outcome>;
  /** The lines of the log so far that are of this kind. */
  logged(msg: string): readonly LogLine[];
  /** Waits for a line of the log. */
  log(msg: string, isIt?: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
}

export type LogLine = Readonly<Record<string, unknown>>;

/** Starts it at a port that is free, unless another is named, and waits until it listens. */
export async function startServe(
  sandbox: Pick<Sandbox, 'start'>,
  args: readonly string[] = [],
  options?: RunOptions,
): Promise<Served> {
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const child = sandbox.start(['serve', ...port, ...args], options);
  onTestFinished(() => void child.kill('SIGKILL'));
  const outcome = outcomeOf(child);
  const log = readLog(child);
  const first = await Promise.race([firstLine(child), outcome]);
  if (typeof first !== 'string') throw new Error(`nothing is served: ${first.stderr}`);
  return {
    url: /https?:\S+/.exec(first)?.[0] ?? '',
    child,
    outcome,
    ...log,
    kill: (signal) => void child.kill(signal),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.stdout) createInterface(child.stdout).once('line', resolve);
  });
}

function readLog(child: ChildProcess): Pick<Served, 'log' | 'logged'> {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  if (child.stderr) {
    createInterface(child.stderr).on('line', (text) => {
      if (text.startsWith('{')) lines.push(JSON.parse(text));
      for (const look of waiting) look();
    });
  }
  const of = (msg: string) => lines.filter((line) => line['msg'] === msg);
  return {
    logged: of,
    log: (msg, isIt = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = of(msg).find(isIt);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Makes a token in a database, as `admin tokens add` does. @returns its secret */
export async function addToken(
  file: string,
  name: string,
  scopes: readonly Scope[],
  namespace?: string,
): Promise<string> {
  const store = openSqliteStore({ file });
  try {
    const added = await accessOn(store, namespace).addToken({ name, scopes, lifetime: undefined });
    if (!added) throw new Error(`there is a token ${name} already`);
    return added.secret;
  } finally {
    await store.close();
  }
}

/** Asks for a lease on a key. */
export function lease(
  { url }: Pick<Served, 'url'>,
  key: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${url}/v1/ai/lease`, { method: 'POST', headers, body: JSON.stringify({ key }) });
}
