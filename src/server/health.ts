import { Failure } from '../domain/failure.ts';
import { json, PROBLEMS, type Problem, type Route } from '../http/route.ts';

/** How long the database gets to answer, in milliseconds. */
const PATIENCE = 2_000;

export interface HealthOptions {
  /** Throws when the database cannot be used. */
  readonly check: () => Promise<void>;
  readonly isStopping: () => boolean;
}

/** For who starts, stops and balances nodes: whether the process lives, and whether to send it work. */
export function healthRoutes({ check, isStopping }: HealthOptions): Route[] {
  const looked = sharing(() => isUsable(check));
  return [
    {
      method: 'GET',
      path: '/healthz',
      refuse,
      handle: async () => json(200, { status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      refuse,
      handle: async () => {
        if (isStopping()) return notReady('stopping');
        return (await looked()) ? json(200, { status: 'ready' }) : notReady('unavailable');
      },
    },
  ];
}

/** In the words of those endpoints that are of no service's contract. */
function refuse(problem: Problem) {
  const { status, message } = PROBLEMS[problem];
  return json(status, { detail: { error: problem, message } });
}

function notReady(status: string) {
  return json(503, { status });
}

async function isUsable(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE);
  });
  const checked = check().then(
    () => true,
    (error: unknown) => {
      if (error instanceof Failure) return false;
      throw error;
    },
  );
  return Promise.race([checked, late]).finally(() => clearTimeout(timer));
}

/** All who ask meanwhile get the same answer: asking often is not to keep the database busy. */
function sharing<T>(look: () => Promise<T>): () => Promise<T> {
  let looking: Promise<T> | undefined;
  return () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}
