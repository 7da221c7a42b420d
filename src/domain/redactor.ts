import { isAlwaysAsItIs, patternOf } from './quoted-forms.ts';

/** A shorter one could be in anything that a program reads. */
const SHORTEST_CREDENTIAL = 8;

/** In characters: of a longer text no pattern can be made. */
const LONGEST_PATTERN = 2_000;

/** Of so many secrets, those that are in a text are looked up rather than each looked for. */
const MANY = 64;

/**
 * Knows the secrets of this run and takes them out of any text that is about to be shown.
 *
 * A service may quote a token back in its error message, and a cause may hold a request: whatever
 * reaches stderr passes through here last.
 */
export class Redactor {
  readonly #patterns = new Map<string, RegExp | string>();
  readonly #credentials = new Set<string>();
  /** Those that are always written as they are, by their lengths; and all others. */
  readonly #plain = new Map<number, Set<string>>();
  readonly #others = new Set<string>();

  /** Remembers a secret and hands it back. Very short values are no secrets and would garble text. */
  add(secret: string): string {
    if (secret.length > LONGEST_PATTERN) {
      for (const form of formsOf(secret)) this.#keep(form, form);
    } else if (secret.length >= 4 && !this.#patterns.has(secret)) {
      this.#keep(secret, patternOf(secret));
    }
    return secret;
  }

  /** The same for what proves who one is: that is in no answer's data either. */
  addCredential(secret: string): string {
    // What could be a number could be one of the answer's.
    if (secret.length > LONGEST_PATTERN) {
      for (const form of formsOf(secret)) this.#credentials.add(form);
    } else if (secret.length >= SHORTEST_CREDENTIAL && !/^\d+$/.test(secret)) {
      this.#credentials.add(secret);
    }
    return this.add(secret);
  }

  /** Those that are in a text, however they are written. */
  secretsIn(text: string): string[] {
    return [...this.#patterns].flatMap(([secret, pattern]) =>
      isIn(text, pattern) ? [secret] : [],
    );
  }

  /** Takes them out as they are, and as JSON, URLs, HTML and shells write them. */
  clean(text: string): string {
    const secrets = this.#patterns.size < MANY ? [...this.#patterns.keys()] : this.#possible(text);
    return this.#without(secrets, text);
  }

  /** Takes the credentials out of an answer; its handles are what was asked for. JSON stays JSON. */
  cleanAnswer(text: string): string {
    return this.#without([...this.#credentials], text);
  }

  #keep(secret: string, pattern: RegExp | string): void {
    this.#patterns.set(secret, pattern);
    if (!isAlwaysAsItIs(secret)) {
      this.#others.add(secret);
      return;
    }
    const alike = this.#plain.get(secret.length) ?? new Set();
    this.#plain.set(secret.length, alike.add(secret));
  }

  /** All that may be in a text. */
  #possible(text: string): string[] {
    const found = new Set(this.#others);
    for (const [length, secrets] of this.#plain) {
      for (let at = 0; at + length <= text.length; at += 1) {
        const part = text.slice(at, at + length);
        if (secrets.has(part)) found.add(part);
      }
    }
    return [...found];
  }

  #without(secrets: readonly string[], text: string): string {
    // One may be a part of another, and would leave the rest.
    return secrets
      .toSorted((one, other) => other.length - one.length)
      .reduce((rest, secret) => rest.replaceAll(this.#patterns.get(secret) ?? secret, '***'), text);
  }
}

/** What a very long secret is looked for as: as it is, and as JSON writes it. */
function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1)];
}

function isIn(text: string, pattern: RegExp | string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0;
}
