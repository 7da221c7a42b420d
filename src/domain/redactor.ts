/**
 * Knows the secrets of this run and takes them out of any text that is about to be shown.
 *
 * A service may quote a token back in its error message, and a cause may hold a request: whatever
 * reaches stderr passes through here last.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Remembers a secret and hands it back. Very short values are no secrets and would garble text. */
  add(secret: string): string {
    if (secret.length >= 4) this.#secrets.add(secret);
    return secret;
  }

  /** Those that are in a text, as they are or as JSON writes them. */
  secretsIn(text: string): string[] {
    return [...this.#secrets].filter(
      (secret) => text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)),
    );
  }

  /** Takes them out as they are, and as JSON, URLs and forms write them. */
  clean(text: string): string {
    let cleaned = text;
    // One may be a part of another: of that nothing is to be left either.
    const longestFirst = [...this.#secrets].sort((a, b) => b.length - a.length);
    for (const secret of longestFirst) {
      for (const form of formsOf(secret)) cleaned = cleaned.replaceAll(form, '***');
    }
    return cleaned;
  }
}

function formsOf(secret: string): string[] {
  const inForm = new URLSearchParams([['', secret]]).toString().slice('='.length);
  const inUrl = encodeURIComponent(secret.toWellFormed());
  return [secret, JSON.stringify(secret).slice(1, -1), inUrl, inForm];
}
