import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** What each layer may import, besides itself. The order is from the innermost to the outermost. */
const ALLOWED: Record<string, readonly string[]> = {
  domain: [],
  files: ['domain'],
  secrets: ['files', 'domain'],
  sqlite: ['domain'],
  engine: ['domain'],
  store: ['sqlite', 'engine', 'domain'],
  http: ['files', 'domain'],
  services: ['http', 'engine', 'domain'],
  server: ['services', 'http', 'engine', 'domain'],
  profiles: ['secrets', 'sqlite', 'files', 'domain'],
  ledger: ['sqlite', 'domain'],
  insight: ['domain'],
  watch: ['insight', 'domain'],
  tokens: ['sqlite', 'http', 'domain'],
  supervise: ['domain'],
  terminal: ['domain'],
  completion: ['terminal', 'domain'],
  output: ['terminal', 'domain'],
};

/** The files directly in src/, the commands, and what only one of them uses, may import everything. */
const OUTERMOST = [
  ...['', 'commands', 'doctor', 'serve'],
  ...['break', 'list', 'look', 'origin', 'queue', 'watching', 'why'],
];

/** Packages that only one layer may know. */
const OWNERS: Record<string, readonly string[]> = {
  '@napi-rs': ['secrets'],
  'cli-table3': ['output'],
  chalk: ['output'],
  'fastest-levenshtein': ['domain'],
  '@jmespath-community': ['output'],
  'eventsource-parser': ['http'],
  ky: ['http'],
  undici: ['http'],
  hono: ['server'],
  '@hono': ['server'],
  pino: ['server'],
  libsql: ['sqlite', 'store'],
  oauth4webapi: ['tokens'],
  pg: ['store'],
  'prom-client': ['server'],
  '@inquirer': ['terminal'],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => join(SRC, file));

function layerOf(file: string): string {
  const path = relative(SRC, file).split(sep);
  return path.length === 1 ? '' : (path[0] ?? '');
}

function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
}

const imports = files.flatMap((file) => importsOf(file).map((name) => ({ file, name })));

test('every layer imports only from layers below it', () => {
  const wrong = imports
    .filter(({ name }) => name.startsWith('.'))
    .map(({ file, name }) => ({ file, from: layerOf(file), target: resolve(dirname(file), name) }))
    .filter(({ from, target }) => {
      const to = layerOf(target);
      return !OUTERMOST.includes(from) && from !== to && !ALLOWED[from]?.includes(to);
    })
    .map(({ file, target }) => `${relative(SRC, file)} imports ${relative(SRC, target)}`);
  expect(wrong).toEqual([]);
});

test('services do not know one another', () => {
  const serviceOf = (file: string) => /^services\/([^/]+)\//.exec(relative(SRC, file))?.[1];
  const wrong = imports.filter(({ file, name }) => {
    const [from, to] = [serviceOf(file), serviceOf(resolve(dirname(file), name))];
    return from && to && from !== to;
  });
  expect(wrong).toEqual([]);
});

test('packages are known to their layer alone', () => {
  const wrong = imports.filter(({ file, name }) => {
    const owners = OWNERS[name.split('/')[0] ?? ''];
    return owners && !owners.includes(layerOf(file));
  });
  expect(wrong).toEqual([]);
});

test('only the outermost files know the process', () => {
  const wrong = files.filter(
    (file) =>
      layerOf(file) !== '' &&
      /(?<![.#])\bprocess\.(env|argv|std|exit)/.test(readFileSync(file, 'utf8')),
  );
  expect(wrong).toEqual([]);
});

test('the walk sees what it should', () => {
  expect(files.length).toBeGreaterThan(40);
  expect(Object.keys(ALLOWED)).toEqual(
    expect.arrayContaining(
      [...new Set(files.map(layerOf))].filter((layer) => !OUTERMOST.includes(layer)),
    ),
  );
  expect(imports.length).toBeGreaterThan(150);
});
