import type { Clock } from '../domain/clock.ts';
import type { Change } from '../watch/change.ts';
import type { WatchModel } from '../watch/model.ts';
import type { Row } from '../watch/row.ts';
import type { WatchSource } from '../watch/update.ts';

/** How often it is looked what became of leases by the time alone, in milliseconds. */
const TICK = 250;

export interface PipeOptions {
  readonly source: WatchSource;
  readonly model: WatchModel;
  readonly now: Clock;
  /** Asks for leases of which time alone says that something became of them. */
  readonly check: (doubts: readonly Row[]) => void;
  /** Tells changes; whoever reads slowly is waited for. */
  readonly tell: (changes: readonly Change[]) => void;
}

/** Tells what happens, until the source ends. @throws as the source */
export async function watchInPipe({ source, model, now, tell, check }: PipeOptions): Promise<void> {
  const tick = () => {
    const changes = model.tick(now());
    if (changes.length > 0) tell(changes);
    check(model.takeDoubts());
  };
  const timer = setInterval(tick, TICK);
  try {
    for await (const updates of source) {
      const changes = model.apply(updates, now());
      if (changes.length > 0) tell(changes);
    }
  } finally {
    clearInterval(timer);
  }
}
