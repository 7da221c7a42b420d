import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contender } from './chaos-contender.ts';
import type { LeaseServer } from './lease-server.ts';
import type { Random } from './random.ts';

/** What is done to processes while they run. */
const DEEDS = [
  'killHolder',
  'freezeHolder',
  'dismissHolder',
  'bereaveHolder',
  'killWaiter',
  'freezeWaiter',
  'freezeWinner',
  'restartService',
  'freezeService',
] as const;
export type Deed = (typeof DEEDS)[number];

/** What becomes of the first that hold a lease, so that all of it happens. */
const FIRST_FATES: readonly Fate[] = [
  'killHolder',
  'freezeHolder',
  'dismissHolder',
  'bereaveHolder',
];
/** And of those after them: mostly what has the lease handed on, when its time is over. */
const FATES: readonly Fate[] = [
  ...Array.from({ length: 4 }, () => ['killHolder', 'freezeHolder'] as const).flat(),
  'none',
];
/** What becomes of those that are about to learn that they have the lease. */
const WINNERS: readonly Fate[] = [
  'freezeWinner',
  ...Array.from({ length: 6 }, () => 'none' as const),
];
/** What happens to others meanwhile, at first; a service that stands still holds up everybody. */
const FIRST_EVENTS: readonly Deed[] = [
  'killWaiter',
  'freezeWaiter',
  'restartService',
  'freezeService',
];
const EVENTS: readonly Deed[] = [
  'killWaiter',
  'freezeWaiter',
  'killWaiter',
  'freezeWaiter',
  'restartService',
];

type Fate = Deed | 'none';

export interface DeedsOptions {
  readonly server: LeaseServer;
  readonly random: Random;
  /** Milliseconds that what is frozen is frozen for: longer than a lease lasts. */
  readonly freeze: number;
  /**
   * A file as long as which is there all commands go on with their work, and with `-NAME` behind it
   * that of one contender: what outlives its lease has to be stopped by somebody.
   */
  readonly lingerFile: string;
  /** How often nothing is done to a holder, beyond the usual. */
  readonly mercy: number;
}

/** Does to processes what befalls them: killed, stopped for too long, ended in the middle. */
export class Deeds {
  /** How often each was done. */
  readonly counts: Record<Deed, number>;
  readonly #options: DeedsOptions;
  readonly #underWay = new Set<Promise<void>>();
  #fates: Fate[];
  #winners: Fate[] = [];
  #events: Deed[];

  constructor(options: DeedsOptions) {
    this.#options = options;
    this.#fates = options.random.shuffled(FIRST_FATES);
    this.#events = options.random.shuffled(FIRST_EVENTS);
    const none = DEEDS.map((deed) => [deed, 0]);
    this.counts = Object.fromEntries(none);
  }

  /**
   * Decides what becomes of one that has just begun its work.
   *
   * @param command the process that it runs
   */
  decideFate(holder: Contender, command: number): void {
    const { random, mercy } = this.#options;
    if (this.#fates.length === 0) {
      const none = Array.from({ length: mercy }, () => 'none' as const);
      this.#fates = random.shuffled([...FATES, ...none]);
    }
    const fate = this.#fates.pop() ?? 'none';
    if (fate === 'none') return;
    const moment = random.between(0.1, 0.7) * holder.work;
    this.#start(
      delay(moment).then(async () => {
        // It is for the next one, when this one was faster.
        if (holder.ending()) this.#fates.push(fate);
        else await this.#befall(fate, holder, command);
      }),
    );
  }

  /** Decides what becomes of one that gets the lease, before it knows. */
  greet(winner: Contender): void {
    if (this.#winners.length === 0) this.#winners = this.#options.random.shuffled(WINNERS);
    const fate = this.#winners.pop() ?? 'none';
    if (fate !== 'none') this.#start(this.#befall(fate, winner, undefined));
  }

  /** Does something to one of those that wait, or to the service. */
  causeEvent(waiter: Contender | undefined): void {
    if (this.#events.length === 0) this.#events = this.#options.random.shuffled(EVENTS);
    const event = this.#events.pop();
    if (event) this.#start(this.#befall(event, waiter, undefined));
  }

  /** Waits until all that was begun is done: what is frozen goes on again. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #start(happening: Promise<void>): void {
    this.#underWay.add(happening);
    void happening.finally(() => this.#underWay.delete(happening));
  }

  async #befall(
    deed: Deed,
    contender: Contender | undefined,
    command: number | undefined,
  ): Promise<void> {
    const { server, freeze, lingerFile } = this.#options;
    const isAboutService = deed === 'restartService' || deed === 'freezeService';
    if (!isAboutService && (!contender || contender.ending())) return;
    this.counts[deed] += 1;
    const isOutlived = deed === 'killHolder' || deed === 'freezeHolder';
    if (isOutlived) writeFileSync(`${lingerFile}-${contender?.name}`, '');
    switch (deed) {
      case 'restartService':
        return server.restart();
      case 'freezeService':
        writeFileSync(lingerFile, '');
        await server.freeze(freeze);
        rmSync(lingerFile);
        return;
      case 'bereaveHolder':
        contender?.done.push('bereaved');
        if (command !== undefined) killIfThere(command);
        return;
      case 'dismissHolder':
        return dismiss(contender);
      case 'killHolder':
      case 'killWaiter':
        contender?.done.push('killed');
        contender?.signal('SIGKILL');
        return;
      case 'freezeHolder':
      case 'freezeWaiter':
      case 'freezeWinner':
        contender?.signal('SIGSTOP');
        await delay(freeze);
        contender?.signal('SIGCONT');
    }
  }
}

/** Asks one to end. */
export function dismiss(contender: Contender | undefined): void {
  contender?.done.push('dismissed');
  contender?.signal('SIGTERM');
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
