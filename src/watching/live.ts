import type { Clock } from '../domain/clock.ts';
import { Failure } from '../domain/failure.ts';
import { FullScreen } from '../terminal/full-screen.ts';
import { LiveScreen } from '../terminal/live-screen.ts';
import type { WatchModel } from '../watch/model.ts';
import { arranged } from '../watch/order.ts';
import { TextCache, type Texts, type Tone } from '../watch/piece.ts';
import type { Row } from '../watch/row.ts';
import { BEGIN, type Effect, following, press, type Session } from '../watch/session.ts';
import type { WatchSource } from '../watch/update.ts';
import { pageOf, view } from '../watch/view.ts';

/** Milliseconds between two frames at least; and between two where nothing is told, at most. */
const FRAME = 125;
const IDLE_FRAME = 1_000;
/** The same where seconds count: a lease ends so soon, in milliseconds. */
const BUSY_FRAME = 250;
const SOON = 15_000;
/** Rows change their places no more often than that, in milliseconds. */
const ARRANGE = 1_000;

/** What can be done with a lease beside watching it. */
export interface WatchActions {
  /** What there is to say of it, in lines that are safe to show. */
  inspect(row: Row, columns: number): Promise<readonly string[]>;
  /** @returns what came of it, in a sentence */
  extend(row: Row): Promise<string>;
  /** Has the terminal for itself, until the signal. @returns as `extend` */
  break(row: Row, signal: AbortSignal): Promise<string>;
}

export interface LiveOptions {
  readonly source: WatchSource;
  readonly model: WatchModel;
  readonly title: string;
  /** Asks for leases of which time alone says that something became of them. */
  readonly check: (doubts: readonly Row[]) => void;
  readonly host: NodeJS.Process;
  readonly texts: Texts;
  readonly paint: (text: string, tone: Tone) => string;
  readonly actions: WatchActions;
  readonly now: Clock;
}

/** Shows what happens, until it is left. @throws as the source */
export async function watchLive(options: LiveOptions): Promise<void> {
  const live = new Live(options);
  await live.run();
}

class Live {
  readonly #options: LiveOptions;
  readonly #texts: TextCache;
  readonly #terminal: FullScreen;
  readonly #screen: LiveScreen<Tone>;
  #session: Session = BEGIN;
  #rows: readonly Row[] = [];
  #arranged = { revision: -1, at: Number.NEGATIVE_INFINITY, choice: '' };
  #timer: NodeJS.Timeout | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #dueAt = Number.POSITIVE_INFINITY;
  #isAway = false;
  #quit: () => void = () => undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#texts = new TextCache(options.texts);
    this.#terminal = new FullScreen(options.host, {
      key: (name) => this.#key(name),
      resized: () => this.#redraw(),
    });
    this.#screen = new LiveScreen(this.#terminal.write, options.paint);
  }

  async run(): Promise<void> {
    await this.#terminal.open();
    try {
      this.#draw();
      const left = new Promise<void>((resolve) => {
        this.#quit = resolve;
      });
      await Promise.race([left, this.#follow()]);
    } finally {
      clearTimeout(this.#timer);
      this.#isAway = true;
      this.#terminal.close();
    }
  }

  async #follow(): Promise<void> {
    const { source, model, now } = this.#options;
    for await (const updates of source) {
      model.apply(updates, now());
      this.#drawWithin(FRAME);
    }
  }

  #drawWithin(milliseconds: number): void {
    if (this.#isAway) return;
    const time = performance.now();
    const at = Math.max(this.#drawnAt + FRAME, time + milliseconds);
    if (at >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#draw(), Math.max(0, at - time));
  }

  #draw(): void {
    if (this.#isAway) return;
    const { model, title, now, check } = this.#options;
    const time = now();
    model.tick(time);
    check(model.takeDoubts());
    this.#arrange(time);
    const { size } = this.#terminal;
    this.#session = following(this.#session, this.#rows, pageOf(size));
    const scene = { model, rows: this.#rows, session: this.#session, title, now: time };
    this.#screen.draw(view(scene, size, this.#texts));
    this.#drawnAt = performance.now();
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#drawWithin(this.#isBusy(time) ? BUSY_FRAME : IDLE_FRAME);
  }

  #arrange(time: number): void {
    const { model } = this.#options;
    const { sort, filter } = this.#session;
    const choice = `${sort}/${filter}`;
    const { revision, at } = this.#arranged;
    const isChosen = choice !== this.#arranged.choice;
    const isMoved = revision !== model.revision || sort !== 'attention';
    const isTime = this.#rows.length === 0 || Math.abs(time - at) >= ARRANGE;
    if (!isChosen && !(isMoved && isTime)) return;
    this.#rows = arranged(model, sort, filter);
    this.#arranged = { revision: model.revision, at: time, choice };
  }

  #isBusy(time: number): boolean {
    const { model } = this.#options;
    return this.#rows.some((row) => {
      const left = (row.endsAt ?? Number.POSITIVE_INFINITY) - model.timeOf(row, time);
      return row.state === 'held' && left > 0 && left < SOON;
    });
  }

  #redraw(): void {
    this.#screen.clear();
    this.#drawWithin(0);
  }

  #key(name: string): void {
    const page = pageOf(this.#terminal.size);
    const { session, effect } = press(this.#session, name, this.#rows, page);
    this.#session = session;
    if (effect) this.#perform(effect);
    this.#drawWithin(0);
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'quit':
        this.#quit();
        break;
      case 'interrupt':
        this.#terminal.interrupt();
        break;
      case 'suspend':
        this.#terminal.suspend();
        break;
      case 'redraw':
        this.#screen.clear();
        break;
      default:
        void this.#act(effect.type, effect.row);
    }
  }

  async #act(type: 'inspect' | 'extend' | 'break', key: string): Promise<void> {
    const row = this.#options.model.rows.get(key);
    if (!row) return;
    const { actions } = this.#options;
    const say = (message: string) => {
      this.#session = { ...this.#session, message };
    };
    try {
      if (type === 'inspect') await this.#inspect(row);
      else if (type === 'break') say(await this.#away((signal) => actions.break(row, signal)));
      else {
        say('Extending.');
        say(await actions.extend(row));
      }
    } catch (error) {
      const hint = error instanceof Failure ? ` ${error.hint ?? ''}` : '';
      say(error instanceof Error ? error.message + hint : String(error));
    }
    this.#drawWithin(0);
  }

  async #inspect(row: Row): Promise<void> {
    const title = row.id;
    this.#session = { ...this.#session, pane: { title, lines: ['', '  Looking.'] }, paneTop: 0 };
    const lines = await this.#options.actions.inspect(row, this.#terminal.size.columns);
    // It may have been left meanwhile, or another one is looked at.
    if (this.#session.pane?.title !== title) return;
    this.#session = { ...this.#session, pane: { title, lines } };
  }

  /** Leaves the terminal to somebody else: a Ctrl-C ends that, and not what is watched. */
  async #away(work: (signal: AbortSignal) => Promise<string>): Promise<string> {
    this.#isAway = true;
    clearTimeout(this.#timer);
    const left = new AbortController();
    const interrupted = this.#terminal.lend(() => left.abort());
    try {
      // A question that is left is never answered.
      return await Promise.race([work(left.signal), interrupted.then(() => 'Nothing was done.')]);
    } finally {
      this.#isAway = false;
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.#terminal.enter();
      this.#screen.clear();
    }
  }
}
