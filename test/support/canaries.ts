/*
 * Secrets that are known again wherever they turn up, whole or in parts, and however they are written.
 */

const NAMES = [
  // What proves who one is: in a variable of leasectl's, in a service's own, in a profile's file,
  // printed by a command, an OAuth 2.0 client's, and what its token endpoint gives.
  'bearer',
  'vendor',
  'stored',
  'printed',
  'client',
  'access',
  // What proves that one holds something, and what a job brings along.
  'lease',
  'lock',
  'ack',
  'job',
  // What travels beside it: a proxy's password, fields and headers of the user's own, news of a service.
  'proxy',
  'input',
  'header',
  'fresh',
  // What stands where it does not belong: in a URL, in a file, among the arguments.
  'user',
  'misfiled',
  'typed',
] as const;
export type Canary = (typeof NAMES)[number];

const mark = (name: Canary) => `canary${name}`;

/** Between the marks there is what JSON, URLs, HTML, shells and patterns write in other ways. */
const secretOf = (name: Canary) =>
  `sk_${mark(name)}"\\/$(a)%41${mark(name)}&+=<'>{1}*#${mark(name)}`;

export const SECRETS = Object.fromEntries(NAMES.map((name) => [name, secretOf(name)])) as Readonly<
  Record<Canary, string>
>;

const MARKED = new RegExp(`canary(${NAMES.join('|')})`, 'gi');
/** The handles that the embedded service makes. */
const HANDLE = /\b(lease|lock|ack)_[\da-f]{32}\b/g;
/** "canary" in base64, wherever it begins. */
const ENCODED = /Q2FuYXJ5|NhbmFye|Y2FuYXJ5|DYW5hcn|jYW5hcn|ZWNhbmFye/;
const BASE64 = /[\w+/-]{12,}/g;

/** Which secrets are in a text. */
export function secretsIn(text: string): Canary[] {
  return [...new Set([...plainIn(text), ...encodedIn(text)])];
}

function plainIn(text: string): Canary[] {
  const found = [...text.matchAll(MARKED), ...text.matchAll(HANDLE)];
  return found.map(([, name = '']) => name.toLowerCase() as Canary);
}

function encodedIn(text: string): Canary[] {
  if (!ENCODED.test(text)) return [];
  const words = (text.match(BASE64) ?? []).filter((word) => ENCODED.test(word));
  return words.flatMap((word) =>
    // A piece of it may begin anywhere.
    [0, 1, 2, 3].flatMap((start) =>
      plainIn(Buffer.from(word.slice(start), 'base64').toString('latin1')),
    ),
  );
}

/** The ways in which somebody may write a secret who quotes it. */
export function waysToWrite(secret: string): string[] {
  const html = secret.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const named = secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ s: secret }).toString().slice(2),
    encodeURIComponent(secret).toLowerCase(),
    JSON.stringify(secret),
    JSON.stringify(JSON.stringify(secret)),
    secret.replaceAll('/', '\\/'),
    `'${secret.replaceAll("'", `'\\''`)}'`,
    html,
    named,
  ];
}

/** A text in which the names of the secrets stand, as far as they are written as they are. */
export function named(text: string): string {
  return NAMES.reduce((rest, name) => rest.replaceAll(SECRETS[name], `<${name}>`), text);
}

/** Where secrets are in a text: a piece of it around the first of each. */
export function excerptsOf(text: string, names: readonly Canary[]): string[] {
  return names.map((name) => {
    const at = text.toLowerCase().indexOf(mark(name));
    const piece = at < 0 ? '(encoded)' : text.slice(Math.max(0, at - 80), at + 60);
    return `the ${name} secret: ${JSON.stringify(named(piece))}`;
  });
}
