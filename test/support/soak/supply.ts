import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../src/domain/failure.ts';
import { NOBODY } from '../../../src/domain/requester.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Kind, Work } from '../../../src/engine/lease.ts';
import { workOf as runnerWorkOf } from '../../../src/services/askui/new-job.ts';
import { workOf } from '../../../src/services/retaia/new-job.ts';
import type { Random } from '../random.ts';
import type { Dialect } from './dialects.ts';
import { nameOf } from './journal.ts';

/** Keys, and jobs, that clients contend for at a time: few, so that they meet. */
const PLACES = 6;
/** Jobs that wait, beyond those: so that there are always some, and seldom many. */
const WAITING = 40;
/** Milliseconds between two looks whether there are enough. */
const INTERVAL = 200;

/** What clients contend for. When it is finished, something new takes its place. */
export interface Supply {
  /** What somebody is to ask for; undefined while there is nothing. */
  idOf(kind: Kind, random: Random): string | undefined;
  /** It is finished, or may be. */
  retire(kind: Kind, id: string): void;
  /** Names of all jobs that were surely added. */
  readonly added: readonly string[];
  /** Adds jobs as they are needed, until it is over. */
  keepUp(isOver: () => boolean): Promise<void>;
}

export function createSupply(engine: Engine, dialects: readonly Dialect[]): Supply {
  const places = new Map<string, string>();
  const waiting: string[] = [];
  const added: string[] = [];
  let open = 0;
  let count = 0;

  const add = async (kind: 'job' | 'runner_job', number: number) => {
    const ttl = dialects.find((dialect) => dialect.kind === kind)?.ttl ?? 0;
    const requests = Array.from({ length: number }, () => {
      count += 1;
      return { kind, id: `${kind}-${String(count).padStart(6, '0')}`, ttl, work: workFor(kind) };
    });
    try {
      await engine.add(requests, NOBODY);
    } catch (error) {
      if (error instanceof Failure && error.code === 'unavailable') return;
      throw error;
    }
    added.push(...requests.map(nameOf));
    if (kind === 'job') waiting.push(...requests.map(({ id }) => id));
    else open += number;
  };
  const fill = async () => {
    if (waiting.length < WAITING) await add('job', WAITING);
    if (open < PLACES) await add('runner_job', PLACES);
  };
  const fresh = (kind: Kind) => {
    count += 1;
    return kind === 'job' ? waiting.shift() : `soak/${count}`;
  };
  return {
    added,
    idOf(kind, random) {
      const place = `${kind} ${Math.floor(random.between(0, PLACES))}`;
      const id = places.get(place) ?? fresh(kind);
      if (id !== undefined) places.set(place, id);
      return id;
    },
    retire(kind, id) {
      if (kind === 'runner_job') open -= 1;
      for (const [place, current] of places) if (current === id) places.delete(place);
    },
    async keepUp(isOver) {
      await fill();
      while (!isOver()) {
        await delay(INTERVAL);
        await fill();
      }
    },
  };
}

function workFor(kind: 'job' | 'runner_job'): Work {
  return kind === 'job'
    ? workOf({ job_type: 'soak' }, randomUUID)
    : runnerWorkOf({ max_tries: 100_000 }, randomUUID);
}
