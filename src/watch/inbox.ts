import type { Update } from './update.ts';

/** What was told and not taken yet: whoever takes it gets all of it at once. */
export class Inbox implements AsyncIterable<readonly Update[]> {
  #waiting: Update[] = [];
  #failure: { readonly error: unknown } | undefined;
  #isClosed = false;
  #wake: () => void = () => undefined;

  push(...updates: readonly Update[]): void {
    this.#waiting.push(...updates);
    this.#wake();
  }

  /** There is no more to come; nobody waits for it any longer. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Whoever reads gets this thrown, after what was told before. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Update[], void> {
    for (;;) {
      if (this.#waiting.length > 0) yield this.#waiting.splice(0);
      else if (this.#failure) throw this.#failure.error;
      else if (this.#isClosed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
