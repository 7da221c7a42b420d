import { setTimeout as delay } from 'node:timers/promises';
import {
  commandOf,
  hasVariable,
  isStillThere,
  listProcesses,
  type SeenProcess,
} from './processes.ts';

const STEP = 50;

/**
 * Knows what came of processes that were started with a variable in their environment: whatever has
 * that too, and their children, which may have an empty one as the watchdog does.
 */
export class Leftovers {
  readonly #variable: string;
  readonly #children = new Map<string, SeenProcess>();

  /** @param variable as `NAME=value`, of which there is no other */
  constructor(variable: string) {
    this.#variable = variable;
  }

  /** Takes note of the children that these have: when they have ended, their children have no parent. */
  note(parents: readonly number[]): void {
    const known = new Set(parents);
    for (const seen of listProcesses()) {
      if (known.has(seen.parent)) this.#children.set(`${seen.pid} ${seen.started}`, seen);
    }
  }

  /** @returns what is still there after so many milliseconds, or nothing as soon as all have ended */
  async remaining(patience: number): Promise<string[]> {
    const deadline = performance.now() + patience;
    let remaining = this.#find();
    while (remaining.length > 0 && performance.now() < deadline) {
      await delay(STEP);
      remaining = this.#find();
    }
    return remaining.map((seen) => `${seen.pid} ${commandOf(seen)}`);
  }

  kill(): void {
    for (const { pid } of this.#find()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended in the meantime.
      }
    }
  }

  #find(): SeenProcess[] {
    const marked = listProcesses().filter((seen) => hasVariable(seen, this.#variable));
    const children = [...this.#children.values()].filter(isStillThere);
    const all = [...marked, ...children].map((seen) => [seen.pid, seen] as const);
    return [...new Map(all).values()];
  }
}
