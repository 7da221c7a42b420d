import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { until } from './exec-host.ts';
import { type Outcome, outcomeOf, type RunOptions, type Sandbox } from './sandbox.ts';

export type Told = Readonly<Record<string, unknown>>;

/** `leasectl watch` in a pipe. */
export interface Watcher {
  /** All events so far. */
  readonly told: readonly Told[];
  /** Waits for an event that comes, or came, behind all that were waited for before. */
  hears(event: string, more?: Told): Promise<Told>;
  readonly outcome: Promise<Outcome>;
  kill(signal: NodeJS.Signals): void;
}

export function startWatcher(
  { start }: Pick<Sandbox, 'start'>,
  args: readonly string[],
  options?: RunOptions,
): Watcher {
  const child = start(['watch', ...args], options);
  onTestFinished(() => void child.kill('SIGKILL'));
  const told: Told[] = [];
  let said = '';
  child.stderr?.on('data', (part) => {
    said += part;
  });
  const outcome = outcomeOf(child);
  if (child.stdout) createInterface(child.stdout).on('line', (line) => told.push(JSON.parse(line)));
  let heard = 0;
  return {
    told,
    outcome,
    kill: (signal) => void child.kill(signal),
    hears: async (event, more = {}) => {
      const isIt = (line: Told) =>
        line['event'] === event &&
        Object.entries(more).every(([name, value]) => line[name] === value);
      const find = () => {
        const found = told.slice(heard).findIndex(isIt);
        return found < 0 ? undefined : heard + found;
      };
      const at = await until(find, `${event} ${JSON.stringify(more)}`).catch((error: Error) => {
        const all = told.map((line) => JSON.stringify(line)).join('\n');
        throw new Error(`${error.message}; it told:\n${all}\n${said}`);
      });
      heard = at + 1;
      return told[at] ?? {};
    },
  };
}
