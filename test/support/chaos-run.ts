import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Contender, hire } from './chaos-contender.ts';
import { Deeds, dismiss } from './chaos-deeds.ts';
import { createJournal, type Journal } from './chaos-journal.ts';
import {
  type Books,
  CERTAIN,
  openBooks,
  RULES,
  type Rules,
  type Service,
} from './chaos-service.ts';
import { type Evidence, type Facts, findFacts, type Line } from './exec-check.ts';
import { FAULTS, type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type LeaseServer, startLeaseServer } from './lease-server.ts';
import { Leftovers } from './leftovers.ts';
import { createRandom, type Random } from './random.ts';
import { BIN, createSandbox, type Sandbox, temporaryDirectory } from './sandbox.ts';

/** They share what leasectl keeps on a machine. */
const MACHINES = 4;
/** Milliseconds between two looks, and between two that are hired: starting takes the CPU. */
const STEP = 50;
const HIRE_INTERVAL = 100;
/** Milliseconds that a frozen process is frozen for, beyond what a lease lasts. */
const FREEZE_MORE = 500;
/** What only the answer to who gets the lease has. */
const GRANT = /"(status":"acquired|lock_token":"|ack":")/;
/** Milliseconds that all have to end in when it is over, beyond what a lease lasts. */
const PATIENCE = 30_000;

export interface ChaosOptions {
  readonly service: Service;
  readonly seed: number;
  /** Another leasectl than the built one. */
  readonly bin?: string;
  /** How many contend at a time. */
  readonly crowd: number;
  /** Milliseconds that a command is to work. @param index counts them, from 0 */
  readonly workOf: (random: Random, index: number) => number;
  /** More for its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Asked again and again whether it is time to end. */
  readonly isEnough: (progress: Progress) => boolean;
}

export interface Progress {
  /** Milliseconds since it began. */
  readonly elapsed: number;
  readonly lines: readonly Line[];
  readonly facts: () => Facts;
  /** How often each fault was done, to requests and to processes. */
  readonly faults: Readonly<Record<string, number>>;
}

export interface ChaosOutcome {
  readonly evidence: Evidence;
  readonly facts: Facts;
  readonly faults: Readonly<Record<string, number>>;
  /** What a contender wrote to stderr. */
  readonly toldBy: (name: string) => string;
}

/**
 * Lets many `leasectl exec` contend for one lease at a time, while requests, leasectl, commands and
 * the service fail. What is chosen follows from the seed; when it happens does not: that is up to
 * the machine. The wall clock is left alone, for it is the whole machine's: what becomes of a lease
 * when it jumps is for the unit tests of src/supervise.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const directory = temporaryDirectory();
  const random = createRandom(options.seed);
  const rules = RULES[options.service];
  const file = join(directory, 'leases.db');
  const books = openBooks(file);
  const server = await startLeaseServer(file, directory);
  const freeze = rules.ttl + FREEZE_MORE;
  const proxy = await startFaultProxy({
    target: server.url,
    random: random.fork(),
    // Who holds a lease asks seldom, and is to meet as much as those who want it. What leaves the
    // lease with nobody is done seldom: until it runs out nothing happens.
    probability: (path) => (isAcquisition(path) ? 0.06 : 0.25),
    faults: (path) => (isAcquisition(path) ? [...QUICK, ...QUICK, ...FAULTS] : FAULTS),
    freeze,
  });
  // A job that is put back is handed on as it is.
  const mercy = rules.retryable === undefined ? 0 : 12;
  const lingerFile = join(directory, 'linger');
  const deeds = new Deeds({ server, random: random.fork(), freeze, lingerFile, mercy });
  const journal = createJournal(join(directory, 'journal'));
  const machines = Array.from({ length: MACHINES }, createSandbox);
  const stage = { directory, rules, books, server, proxy, deeds, journal, machines, random };
  return new ChaosRun(options, stage).play();
}

/** Faults after which the lease is not somebody's who does not know. */
const QUICK = FAULTS.filter((fault) => fault !== 'freeze' && fault !== 'lost');

function isAcquisition(path: string): boolean {
  return /\/(lease|claim)(\?|$)/.test(path);
}

interface Stage {
  readonly directory: string;
  readonly rules: Rules;
  readonly books: Books;
  readonly server: LeaseServer;
  readonly proxy: FaultProxy;
  readonly deeds: Deeds;
  readonly journal: Journal;
  readonly machines: readonly Sandbox[];
  readonly random: Random;
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #stage: Stage;
  readonly #marker = `CHAOS_RUN=${randomUUID()}`;
  readonly #leftovers = new Leftovers(this.#marker);
  readonly #begun = performance.now();
  readonly #contenders: Contender[] = [];
  /** What is contended for, counted. */
  #target = 0;
  #nextHire = 0;
  #nextEvent = 2_000;
  #isOver = false;

  constructor(options: ChaosOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
    onTestFinished(() => this.#leftovers.kill());
  }

  async play(): Promise<ChaosOutcome> {
    const { directory, proxy, deeds } = this.#stage;
    proxy.onAnswer(({ path, token, status, body }) => {
      const isGrant = isAcquisition(path) && status === 200 && GRANT.test(body);
      const winner = isGrant && this.#contenders.find(({ name }) => name === token);
      if (winner && !this.#isOver) deeds.greet(winner);
    });
    while (!this.#options.isEnough(this.#progress())) {
      await this.#step();
      await delay(STEP);
    }
    this.#isOver = true;
    proxy.calm();
    writeFileSync(join(directory, 'curtain'), '');
    await this.#end();
    return this.#outcome();
  }

  #progress(): Progress {
    const { journal, proxy, deeds } = this.#stage;
    return {
      elapsed: performance.now() - this.#begun,
      lines: journal.lines,
      facts: () => this.#facts(),
      faults: { ...proxy.faults, ...deeds.counts },
    };
  }

  #facts(): Facts {
    const endings = this.#contenders.flatMap((contender) => contender.ending() ?? []);
    return findFacts({ lines: this.#stage.journal.lines, endings }, CERTAIN);
  }

  get #running(): Contender[] {
    return this.#contenders.filter((contender) => !contender.ending());
  }

  async #step(): Promise<void> {
    const { journal, deeds, random } = this.#stage;
    const elapsed = performance.now() - this.#begun;
    this.#leftovers.note(this.#running.map(({ pid }) => pid));
    const begins = journal.readMore().filter(({ what }) => what === 'begin');
    if (this.#isOver) return;
    for (const { by, pid } of begins) {
      const holder = this.#contenders.find(({ name }) => name === by);
      // Until one has worked for longer than a lease lasts, those that would are left alone.
      const isSpared = holder && holder.work > CERTAIN && this.#facts().renewed === 0;
      if (holder && !isSpared) deeds.decideFate(holder, pid);
    }
    await this.#provideTarget();
    if (elapsed >= this.#nextHire && this.#running.length < this.#options.crowd) {
      this.#hire();
      this.#nextHire = elapsed + HIRE_INTERVAL;
    }
    if (elapsed >= this.#nextEvent) {
      deeds.causeEvent(this.#anyWaiter());
      this.#nextEvent = elapsed + random.between(800, 2_000);
    }
  }

  /** As soon as one is finished there is another one. */
  async #provideTarget(): Promise<void> {
    const { books, rules } = this.#stage;
    if (this.#target > 0 && !this.#isFinished()) return;
    this.#target += 1;
    await rules.add(books.engine, this.#idOf(this.#target));
  }

  #isFinished(): boolean {
    const id = this.#idOf(this.#target);
    return this.#stage.books.rows().some((row) => row.id === id && row.way !== null);
  }

  #idOf(target: number): string {
    return `${this.#options.service}-${target}`;
  }

  #hire(): void {
    const { directory, rules, proxy, journal, machines, random } = this.#stage;
    const name = `c${this.#contenders.length + 1}`;
    const id = this.#idOf(this.#target);
    const [variable = '', marker = ''] = this.#marker.split('=');
    const contender = hire({
      name,
      bin: this.#options.bin ?? BIN,
      args: rules.args(id, name),
      id: rules.isNamed ? id : undefined,
      code: rules.retryable ?? (random.chance(0.3) ? 3 : 0),
      work: Math.round(this.#options.workOf(random, this.#contenders.length)),
      machine: random.pick(machines),
      random,
      env: {
        ...this.#options.env,
        [variable]: marker,
        LEASECTL_URL: proxy.url + rules.basePath,
        CHAOS_JOURNAL: journal.file,
        CHAOS_CURTAIN: join(directory, 'curtain'),
        CHAOS_LINGER: join(directory, 'linger'),
      },
    });
    this.#contenders.push(contender);
  }

  #anyWaiter(): Contender | undefined {
    const { journal, random } = this.#stage;
    const begun = new Set(journal.lines.map(({ by }) => by));
    const waiters = this.#running.filter(({ name }) => !begun.has(name));
    return waiters.length > 0 ? random.pick(waiters) : undefined;
  }

  /** Waits for all to end; those that took what there was, and got nothing, are sent away. */
  async #end(): Promise<void> {
    const { rules } = this.#stage;
    await this.#stage.deeds.finish();
    const deadline = performance.now() + rules.ttl + PATIENCE;
    const isOver = () => this.#running.length === 0 || performance.now() > deadline;
    let isCleared = rules.isNamed;
    while (!isOver()) {
      await this.#step();
      if (!isCleared && this.#isFinished()) {
        this.#running.forEach(dismiss);
        isCleared = true;
      }
      await delay(STEP);
    }
  }

  async #outcome(): Promise<ChaosOutcome> {
    const { journal, books, rules } = this.#stage;
    // A watchdog may have to see to the end of what its leasectl left.
    const leftovers = await this.#leftovers.remaining(rules.ttl + 2_000);
    journal.readMore();
    const endings = this.#contenders.flatMap((contender) => contender.ending() ?? []);
    const evidence: Evidence = {
      lines: journal.lines,
      endings,
      rows: books.rows(),
      leftovers,
      retryable: rules.retryable,
    };
    const toldBy = (by: string) =>
      this.#contenders.flatMap(({ name, told }) => (name === by ? told : [])).join('');
    return { evidence, facts: this.#facts(), faults: this.#progress().faults, toldBy };
  }
}
