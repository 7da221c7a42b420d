import { spawn } from 'node:child_process';
import type { BreakResult } from '../break/lease.ts';
import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import { notedWithId } from '../ledger/look.ts';
import type { LeaseView } from '../look/lease.ts';
import { openNoted } from '../look/noted.ts';
import { DIALECT_OF } from '../look/place.ts';
import { PLAIN, type Style, USUAL_LAYOUT } from '../output/style.ts';
import type { Row } from '../watch/row.ts';
import type { WatchActions } from './live.ts';

export interface ActionOptions {
  readonly context: Context;
  readonly connect: ConnectOptions;
  readonly host: NodeJS.Process;
  /** Makes foreign text safe to show. */
  readonly safe: (text: string) => string;
}

/** What `why` says, what `extend` does, and what `break` asks, of a lease that is watched. */
export function watchActions({ context, connect, host, safe }: ActionOptions): WatchActions {
  const viewOf = async ({ kind, id, place }: Row): Promise<LeaseView> => {
    const noted = { ...place, service: DIALECT_OF[kind] };
    return (await openNoted(context, noted, connect)).view(id);
  };
  return {
    inspect: async (row, columns) => {
      const style = {
        ...PLAIN_STYLE,
        columns,
        clean: (text: string) => context.redactor.clean(text),
      };
      return linesOf(context, await viewOf(row), style);
    },
    extend: async (row) => {
      const flag = holdingProfile(context, row) ?? (await viewOf(row)).place.flag;
      const words = [...EXTENDING[row.kind], ...(flag ? ['--profile', flag] : []), '--', row.id];
      const { code, said } = await run(host, words);
      return safe(code === 0 ? `Extended ${row.id}.` : toldOfFailure(said));
    },
    break: async (row, signal) => {
      const { breakByAsking } = await import('../break/asking.ts');
      return safe(toldOf(row, await breakByAsking(context, await viewOf(row), signal)));
    },
  };
}

const PLAIN_STYLE: Omit<Style, 'columns' | 'clean'> = {
  ...USUAL_LAYOUT,
  isInteractive: true,
  paint: PLAIN,
};

async function linesOf(context: Context, view: LeaseView, style: Style): Promise<string[]> {
  const [{ lookInto }, { renderInsight }] = await Promise.all([
    import('../why/insight.ts'),
    import('../why/view.ts'),
  ]);
  return renderInsight(await lookInto(context, view), style).split('\n');
}

/** The commands that hold a lease for longer. Each in a process of its own: it is the holder's work. */
const EXTENDING: Readonly<Record<LeaseKind, readonly string[]>> = {
  key: ['extend'],
  job: ['jobs', 'heartbeat'],
  runner_job: ['runner-jobs', 'ping'],
};

function toldOf({ id }: Row, result: BreakResult | undefined): string {
  if (!result) return `The lease on ${id} was kept.`;
  return result.outcome === 'broken' ? `Broke the lease on ${id}.` : `${id} is not held any more.`;
}

/** The profile by which this machine holds it there, which need not be the one that it is watched by. */
function holdingProfile({ paths }: Context, { kind, id, place }: Row): string | undefined {
  const noted = notedWithId(paths.handles, id).filter(
    ({ service, location }) => service === DIALECT_OF[kind] && location === place.location,
  );
  const isSame = noted.some(({ profile }) => profile === place.profile);
  return isSame ? undefined : noted[0]?.profile;
}

/** A failure as it was told on stderr, in one line. */
function toldOfFailure(text: string): string {
  return text
    .trim()
    .replace(/^Error: /, '')
    .replaceAll(/\n(Hint: )?/g, ' ');
}

interface Said {
  readonly code: number | null;
  readonly said: string;
}

function run(host: NodeJS.Process, words: readonly string[]): Promise<Said> {
  const [, bin = ''] = host.argv;
  const child = spawn(host.execPath, [bin, ...words], {
    // In no project: a key is meant as it is.
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const parts: Buffer[] = [];
  child.stderr.on('data', (part: Buffer) => parts.push(part));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said: Buffer.concat(parts).toString('utf8') }));
  });
}
