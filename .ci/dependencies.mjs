// What becomes of dependencies in the bundle, for the time that a start takes.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { putOff } from './chunks.mjs';

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
    // Waiting for a file that is there takes longer than reading it.
    filter: /@oclif\/core\/lib\/util\/fs\.js$/,
    from: "await (0, promises_1.readFile)(path, 'utf8')",
    to: "(0, node_fs_1.readFileSync)(path, 'utf8')",
  },
  {
    // `main.ts` listens, and to make a stream of stdout takes longer than to write a text to it.
    filter: /@oclif\/core\/lib\/command\.js$/,
    from: "process.stdout.on('error'",
    to: "(() => {})('error'",
  },
  {
    // It would read everything once more, in case that a command had come with another version of oclif.
    filter: /@oclif\/core\/lib\/command\.js$/,
    from: 'await config_1.Config.load(opts ||',
    to: 'opts instanceof config_1.Config ? opts : await config_1.Config.load(opts ||',
  },
  {
    // It wants no more of that file.
    filter: /@oclif\/core\/lib\/cache\.js$/,
    from: "require('@oclif/core/package.json').version",
    to: JSON.stringify(createRequire(import.meta.url)('@oclif/core/package.json').version),
  },
  {
    // Hooks are functions of the bundle (`own-plugin.ts`): no file has to be found for them.
    filter: /@oclif\/core\/lib\/config\/config\.js$/,
    from: 'await (0, module_loader_1.loadWithData)(p, await (0, ts_path_1.tsPath)(p.root, hook.target, p))',
    to: '{ filePath: hook.target, isESM: false, module: p.program }',
  },
  {
    // So is the class of the help.
    filter: /@oclif\/core\/lib\/help\/index\.js$/,
    from: 'await (0, module_loader_1.load)(config, path)',
    to: 'config.rootPlugin.program',
  },
  {
    filter: /@oclif\/core\/lib\/help\/index\.js$/,
    from: '(await (0, ts_path_1.tsPath)(config.root, target)) ?? target',
    to: 'target',
  },
  {
    // Mostly there is no such file, and a promise that fails is a long way.
    filter: /@oclif\/core\/lib\/util\/fs\.js$/,
    from: 'return await readJson(path, useCache);',
    to: 'if (existsSync(path)) return await readJson(path, useCache);',
  },
  {
    // Node's `os` need not be loaded for what the process knows.
    filter: /@oclif\/core\/lib\/config\/config\.js$/,
    from: '(0, node_os_1.arch)()',
    to: 'process.arch',
  },
  {
    filter: /@oclif\/core\/lib\/util\/os\.js$/,
    from: '(0, node_os_1.platform)()',
    to: 'process.platform',
  },
  {
    // Nobody asks for the home directory of oclif either, and where there is none it would fail.
    filter: /@oclif\/core\/lib\/config\/config\.js$/,
    from: '(0, os_1.getHomeDir)() || (0, node_os_1.tmpdir)()',
    to: "'/'",
  },
  {
    // Nobody asks for the user's shell, and without SHELL it is looked for in the list of all users.
    filter: /@oclif\/core\/lib\/config\/config\.js$/,
    from: 'await (0, os_1.getShell)()',
    to: "'unknown'",
  },
  {
    // Words of a command in any order are not a thing here.
    filter: /@oclif\/core\/lib\/config\/config\.js$/,
    from: 'for (const permutation of permutations)',
    to: 'if (this.flexibleTaxonomy) for (const permutation of permutations)',
  },
  {
    // For spinners, which are not used, it would make a stream of stderr.
    filter: /@oclif\/core\/lib\/ux\/index\.js$/,
    from: 'Boolean(process.stderr.isTTY)',
    to: 'false',
  },
  {
    // To know colours it makes streams, also where there are none.
    filter: /@oclif\/core\/lib\/ux\/supports-color\.js$/,
    from: 'return Boolean(',
    to: "const isOff = !process.env.FORCE_COLOR && !require('node:fs').fstatSync(1).isCharacterDevice(); return !isOff && Boolean(",
  },
  {
    // So does this one.
    filter: /@oclif\/core\/lib\/help\/(formatter|index|root)\.js$/,
    from: 'ansis_1.default.strip(',
    to: '((text) => /[\\x1b\\x9b]/.test(text) ? require("node:util").stripVTControlCharacters(text) : text)(',
  },
  {
    // What fits stays as it is. To find out how wide text is takes its time, word for word.
    filter: /@oclif\/core\/lib\/help\/formatter\.js$/,
    from: 'return (0, wrap_ansi_1.default)(this.render(body), this.opts.maxWidth - spacing, { hard: true });',
    to: `const [text, most] = [this.render(body), this.opts.maxWidth - spacing];
      const fits = typeof text === 'string' && text.length <= most && /^[!-~]([ -~]*[!-~])?$/.test(text);
      return fits ? text : (0, wrap_ansi_1.default)(text, most, { hard: true });`,
  },
  {
    filter: /\/string-width\/index\.js$/,
    from: 'string = stripAnsi(string);',
    to: 'if (/^[ -~]*$/.test(string)) return string.length; string = stripAnsi(string);',
  },
  {
    // It would list all topics anew for each of them.
    filter: /@oclif\/core\/lib\/help\/index\.js$/,
    from: 'return this.config.topics.filter((topic) => {',
    to: 'const all = this.config.topics; return all.filter((topic) => {',
  },
  {
    filter: /@oclif\/core\/lib\/help\/index\.js$/,
    from: 'const hasChild = this.config.topics.some(',
    to: 'const hasChild = all.some(',
  },
  {
    // And ask each command for its id as often as there are commands.
    filter: /@oclif\/core\/lib\/util\/util\.js$/,
    from: `return arr.filter((a, i) => {
        const aVal = fn(a);
        return !arr.some((b, j) => j > i && fn(b) === aVal);
    });`,
    to: 'const values = arr.map(fn); return arr.filter((_, at) => !values.includes(values[at], at + 1));',
  },
  {
    // Most texts are none.
    filter: /@oclif\/core\/lib\/help\/util\.js$/,
    from: 'return ejs_1.default.render(t, context);',
    to: "return String(t).includes('<%') ? ejs_1.default.render(t, context) : t;",
  },
  {
    // A class for each kind of schema, of which only those of errors are used.
    filter: /\/zod\/v4\/core\/core\.js$/,
    from: `    class Definition extends Parent {
    }
    Object.defineProperty(Definition, "name", { value: name });`,
    to: `    const Definition = params?.Parent && class extends Parent {};
    if (Definition) Object.defineProperty(Definition, "name", { value: name });`,
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
 * What is large and rarely needed, in files of its own: which packages are in each, and what is used
 * of them.
 */
export const APART = {
  undici: {
    packages: ['undici'],
    source: `
      exports.fetch = require('undici/lib/web/fetch').fetch;
      exports.Agent = require('undici/lib/dispatcher/agent');
      exports.buildConnector = require('undici/lib/core/connect');
    `,
  },
  hono: {
    packages: ['hono', '@hono/node-server', '@hono/node-server/utils/response'],
    source: `
      exports.Hono = require('hono').Hono;
      exports.getRequestListener = require('@hono/node-server').getRequestListener;
      exports.RESPONSE_ALREADY_SENT =
        require('@hono/node-server/utils/response').RESPONSE_ALREADY_SENT;
    `,
  },
  // The bindings to the C library are not used.
  pg: { packages: ['pg'], source: "module.exports = require('pg/lib/index.js');" },
  prom: { packages: ['prom-client'], source: `module.exports = require('prom-client');` },
  pino: { packages: ['pino'], source: `module.exports = require('pino');` },
};
/** By package, the file that it is in. */
const FILE_OF = Object.fromEntries(
  Object.entries(APART).flatMap(([file, { packages }]) => packages.map((name) => [name, file])),
);

/**
 * Stands in for Node's own, which parses the whole bundle, for a minute, to say what did not hold:
 * and a service can make undici say so.
 */
const ASSERT = `module.exports = (value, message) => {
  if (value) return;
  if (message instanceof Error) throw message;
  throw Object.assign(new Error(message ?? 'assertion failed'), { code: 'ERR_ASSERTION' });
};`;

/** What TypeScript has made modules of CommonJS of. */
const COMPILED = /@oclif\/core\/lib\/|@neon-rs\/load\/dist\//;
/** All that is not as it came. */
const CHANGED = new RegExp(
  [COMPILED, ...CHANGES.map(({ filter }) => filter)].map(({ source }) => source).join('|'),
);

/**
 * What oclif looks for plugins and commands with, where no manifest and no table name them; what it
 * tells Windows below Linux apart with; its spinners; its log, which would show secrets that are
 * arguments; and a prompt that is not used, with all the world's character sets: as much as the rest of
 * the bundle.
 */
const UNUSED =
  /^(tinyglobby|minimatch|wsl-utils|debug|@inquirer\/editor|\.\/action\/(simple|spinner))$/;
/** Whatever of it is called or made does nothing. */
const NOTHING = 'module.exports = function () { return () => undefined; };';

/**
 * What takes a person, a server or a network to run, or looks at more than one lease: it may take some
 * milliseconds more to load.
 */
const RARE =
  /^(src\/((doctor|watch|watching|why|insight|list|look|break|queue|serve|server(?!\/in-process)|store\/postgres|completion|tokens|commands\/(admin|profile))\/|(profile|watch)-[\w-]+\.ts$)|node_modules\/(@inquirer|@jmespath-community|oauth4webapi|jsonc-parser|eventsource-parser|signal-exit|mute-stream|color-convert|color-name)\/)/;
export const isRare = (file) => RARE.test(file);

const changed = new Set();
/** For esbuild: dependencies as they are here. */
export const changeDependencies = {
  name: 'change-dependencies',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    onResolve({ filter: /^node:assert$/ }, ({ path, importer }) =>
      importer.includes('/undici/') ? { path, namespace: 'assert' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'assert' }, () => ({ contents: ASSERT }));
    // Their own files ask for them from no file.
    onResolve({ filter: /^[^./]/ }, ({ path, importer }) =>
      Object.hasOwn(FILE_OF, path) && importer.endsWith('.ts')
        ? { path: `./${FILE_OF[path]}.js`, external: true }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: NOTHING }));
    onLoad({ filter: CHANGED }, async ({ path }) => {
      let source = await readFile(path, 'utf8');
      for (const { filter, from, to } of CHANGES.filter(({ filter }) => filter.test(path))) {
        if (!source.includes(from)) throw new Error(`${path} has no ${from} any more`);
        changed.add(filter);
        source = source.replaceAll(from, to);
      }
      return { contents: COMPILED.test(path) ? putOff(source) : source };
    });
  },
};

/** To be called when all is built. @throws when a change was not made: its file is not used any more */
export function checkChanges() {
  const unused = CHANGES.filter(({ filter }) => !changed.has(filter));
  if (unused.length > 0)
    throw new Error(`not used any more: ${unused.map(({ filter }) => filter)}`);
}
