// Bundles src/ into dist/, with everything but the native modules, at the versions of the
// lockfile, and with the licences of what is in it.
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleInChunks } from './chunks.mjs';
import { APART, changeDependencies, checkChanges, isRare } from './dependencies.mjs';

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

/** The files of the commands, by id. */
async function commandFiles() {
  const files = (await readdir('src/commands', { recursive: true })).filter((file) =>
    file.endsWith('.ts'),
  );
  const idOf = (file) => file.replace(/\.ts$/, '').replaceAll(/[\\/]/g, ':');
  return Object.fromEntries(files.sort().map((file) => [idOf(file), `src/commands/${file}`]));
}

/** What of the manifest is needed of every command; one that is new is not there yet. */
async function outlines() {
  const manifest = await readFile('oclif.manifest.json', 'utf8').catch(() => '{ "commands": {} }');
  const cached = JSON.parse(manifest).commands;
  return Object.fromEntries(
    Object.keys(commands).map((id) => {
      const { summary, hidden = false, strict, args } = cached[id] ?? {};
      return [id, { summary, hidden, strict, args }];
    }),
  );
}

function asciiJson(value) {
  return JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

await rm('dist', { recursive: true, force: true });
const commands = await commandFiles();
const main = await bundleInChunks(
  { $main: 'src/main.ts', $help: 'src/help.ts', ...commands },
  isRare,
  { ...options, plugins: [changeDependencies] },
);
const getters = Object.keys(commands).map((id) => {
  const name = JSON.stringify(id);
  return `get ${name}() { return load(${name}, 'default'); }`;
});
/**
 * A module as a script that is a function, as `start.ts` calls it: to put one around it there would copy it
 * all. For oclif's own tools it is a module.
 */
function asScript(code) {
  const script = `(typeof module === 'undefined'
  ? (evaluate) => evaluate
  : (evaluate) => evaluate(exports, require, __filename, __dirname))(function (exports, require, __filename, __dirname) {
${code}})`;
  if (!isAscii(Buffer.from(script))) throw new Error('the bundle is not ASCII: see CHANGES');
  return script;
}
const bundle = asScript(`${main.text}
exports.loaded = loaded;
exports.command = (id) => load(id, 'default');
Object.defineProperties(exports, Object.getOwnPropertyDescriptors({
  get OUTLINES() { return ${asciiJson(await outlines())}; },
  // For oclif's own tools.
  get COMMANDS() { return { ${getters.join(', ')} }; },
  get HELP() { return { default: load('$help', 'ShortHelp') }; },
}));
for (const name of ['main', 'flagsComeLast', 'commandNotFound'])
  exports[name] = (...given) => load('$main', name)(...given);
`);
const rest = asScript(main.rest);
await mkdir('dist');
await writeFile('dist/main.js', bundle);
await writeFile('dist/rest.js', rest);
const apart = await Promise.all(
  Object.entries(APART).map(([file, { source }]) =>
    build({
      ...options,
      stdin: { contents: source, resolveDir: '.' },
      outfile: `dist/${file}.js`,
      plugins: [changeDependencies],
      metafile: true,
    }),
  ),
);
checkChanges();

// Also of how a cache of it is kept.
const loader = await readFile('src/start.ts');
const buildId = createHash('sha256')
  .update(bundle)
  .update(rest)
  .update(loader)
  .digest('hex')
  .slice(0, 16);
await build({
  ...options,
  entryPoints: ['src/start.ts'],
  // Node need not look for what kind of module it is.
  outfile: 'dist/start.cjs',
  define: {
    BUILD_ID: JSON.stringify(buildId),
    COMMANDS: JSON.stringify(Object.keys(commands)),
  },
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

/** What the service tells of itself at /openapi.json. */
async function openApi() {
  const { outputFiles } = await build({
    ...options,
    stdin: {
      contents: "export { openApiDocument } from './src/server/openapi.ts';",
      resolveDir: '.',
    },
    format: 'esm',
    write: false,
  });
  const module = Buffer.from(outputFiles[0].contents).toString('base64');
  const { openApiDocument } = await import(`data:text/javascript;base64,${module}`);
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  return JSON.stringify(openApiDocument(version));
}
await writeFile('dist/openapi.json', await openApi());
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
