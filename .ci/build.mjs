// Bundles src/ into dist/, with everything but the native modules, at the versions of the
// lockfile, and with the licences of what is in it.
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const options = {
  bundle: true,
  // One CommonJS file: Node resolves and links ES modules one by one, which takes longer than all
  // the rest of a command's start.
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  // ES modules are smaller when bundled, and UMD ones cannot be.
  mainFields: ['module', 'main'],
  external: ['@libsql/*', '@napi-rs/keyring-*'],
  loader: { '.sql': 'text', '.bash': 'text', '.zsh': 'text', '.fish': 'text' },
  // Node's own modules are required as well: code in a `vm.Script` has no `import()`.
  supported: { 'dynamic-import': false },
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Changes to dependencies, for the time that a start takes: each is a piece of source and what
 * stands in its place.
 */
const CHANGES = [
  {
    // The first comparison by locale loads ICU's collation. Command ids are ASCII.
    filter: /@oclif\/core\/lib\/config\/plugin\.js$/,
    from: '.sort((a, b) => a.id.localeCompare(b.id))',
    to: '.sort((a, b) => (a.id < b.id ? -1 : 1))',
  },
  {
    // What it takes from there is global too, and then loaded only where it is used.
    filter: /@oclif\/core\/lib\/performance\.js$/,
    from: 'require("node:perf_hooks")',
    to: 'globalThis',
  },
  {
    // It asks for a whole diagnostic report to learn which C library there is.
    filter: /@neon-rs\/load\/dist\/index\.js$/,
    from: 'return isGlibc()',
    to: "return require('detect-libc').familySync() !== 'musl'",
  },
  {
    // It runs a program only where no file tells the C library.
    filter: /\/detect-libc\/lib\/detect-libc\.js$/,
    from: "const childProcess = require('child_process');",
    to: "const childProcess = { exec: (...given) => require('child_process').exec(...given), execSync: (...given) => require('child_process').execSync(...given) };",
  },
  {
    // The only character of the bundle that is not ASCII: with it V8 would need twice the memory.
    filter: /\/ansis\/index\.(cjs|js|mjs)$/,
    from: '\u009b',
    to: '\\x9b',
  },
  {
    // It would make its own connections those of Node's `fetch` as well.
    filter: /\/undici\/lib\/global\.js$/,
    from: 'if (getGlobalDispatcher() === undefined) {',
    to: 'if (false) {',
  },
];

/**
 * Packages that are large and rarely needed: each in a file of its own, `dist/NAME.js`, with what is
 * used of it.
 */
const APART = {
  // The bindings to the C library are not used.
  pg: "module.exports = require('pg/lib/index.js');",
  undici: `
    exports.fetch = require('undici/lib/web/fetch').fetch;
    exports.Agent = require('undici/lib/dispatcher/agent');
    exports.buildConnector = require('undici/lib/core/connect');`,
};

/** The file of a package that is in one of its own, as seen from `dist/`. */
const fileOf = (name) => `./${name.replace(/^@/, '').replaceAll('/', '-')}.js`;

/**
 * Stands in for Node's own, which parses the whole bundle, for a minute, to say what did not hold:
 * and a service can make undici say so.
 */
const ASSERT = `module.exports = (value, message) => {
  if (value) return;
  if (message instanceof Error) throw message;
  throw Object.assign(new Error(message ?? 'assertion failed'), { code: 'ERR_ASSERTION' });
};`;

/**
 * What oclif looks for plugins and commands with, where no manifest and no table name them; and a
 * prompt that is not used, with all the world's character sets: as much as the rest of the bundle.
 */
const UNUSED = /^(tinyglobby|minimatch|@inquirer\/editor|pg-native|pg-cloudflare|pgpass)$/;

const changed = new Set();
const changeDependencies = {
  name: 'change-dependencies',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    onResolve({ filter: /^node:assert$/ }, ({ path, importer }) =>
      importer.includes('/undici/') ? { path, namespace: 'assert' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'assert' }, () => ({ contents: ASSERT }));
    onResolve({ filter: /^[^.]/ }, ({ path }) =>
      Object.hasOwn(APART, path) ? { path: fileOf(path), external: true } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
    for (const { filter, from, to } of CHANGES) {
      onLoad({ filter }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        if (!source.includes(from)) throw new Error(`${path} has no ${from} any more`);
        changed.add(filter);
        return { contents: source.replace(from, to) };
      });
    }
  },
};

/** The commands by id, each evaluated when it is asked for. */
async function commandTable() {
  const files = await readdir('src/commands', { recursive: true });
  const getters = files
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => {
      const id = file.replace(/\.ts$/, '').replaceAll(/[\\/]/g, ':');
      return `get ${JSON.stringify(id)}() { return require('./src/commands/${file}').default; }`;
    });
  return `export { commandNotFound, flagsComeLast, main } from './src/main.ts';\nexport const COMMANDS = { ${getters.join(', ')} };\nexport const HELP = { get default() { return require('./src/help.ts').ShortHelp; } };`;
}

await rm('dist', { recursive: true, force: true });
const main = await build({
  ...options,
  stdin: { contents: await commandTable(), resolveDir: '.', loader: 'ts' },
  outfile: 'dist/main.js',
  plugins: [changeDependencies],
  metafile: true,
});
const apart = await Promise.all(
  Object.entries(APART).map(([name, contents]) =>
    build({
      ...options,
      stdin: { contents, resolveDir: '.' },
      outfile: join('dist', fileOf(name)),
      plugins: [changeDependencies],
      metafile: true,
    }),
  ),
);
if (changed.size < CHANGES.length)
  throw new Error('a dependency that is changed is not used any more');

const bundle = await readFile('dist/main.js');
if (!isAscii(bundle)) throw new Error('the bundle is not ASCII: see CHANGES');
const buildId = createHash('sha256').update(bundle).digest('hex').slice(0, 16);
await build({
  ...options,
  entryPoints: ['src/start.ts'],
  outfile: 'dist/start.js',
  define: { BUILD_ID: JSON.stringify(buildId) },
});
for (const name of ['guard', 'complete']) {
  await build({
    ...options,
    entryPoints: [`src/${name}.ts`],
    outfile: `dist/${name}.js`,
    plugins: [changeDependencies],
  });
}
const keyring = await build({
  ...options,
  entryPoints: ['src/keyring-process.ts'],
  outfile: 'dist/keyring.js',
  metafile: true,
});
await writeFile('dist/package.json', '{ "type": "commonjs" }\n');

const inputs = [main, ...apart, keyring].flatMap(({ metafile }) => Object.keys(metafile.inputs));
const directories = inputs.flatMap(
  (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [],
);
const licences = [...new Set(directories)].sort().map(async (directory) => {
  const { name, version, license } = JSON.parse(
    await readFile(join(directory, 'package.json'), 'utf8'),
  );
  const file = (await readdir(directory)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? await readFile(join(directory, file), 'utf8') : `Licence: ${license}\n`;
  return `${name} ${version}\n\n${text.trim()}\n`;
});
await writeFile(
  'dist/THIRD-PARTY-LICENSES.txt',
  (await Promise.all(licences)).join(`\n${'-'.repeat(80)}\n\n`),
);
