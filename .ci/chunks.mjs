// Bundles programs into two CommonJS files, of what is used often and of the rest, in which each chunk is
// a function of its own. V8 compiles such a function when it is called, so what is not imported costs
// little more than the room it takes; to load a file for each would take longer than the rest of a start.
import { relative, resolve } from 'node:path';
import { build, transform } from 'esbuild';

const OUTPUT = resolve('dist');

/**
 * @param entryPoints by name, the module's file
 * @param isRare whether a module is used rarely
 * @param options of esbuild's, for all of them
 * @returns the code of a module whose `load(name, export_)` evaluates an entry point and returns an export, and
 *   whose `loaded` tells the numbers of the chunks that were evaluated, in their order; that of the module
 *   `rest.js` beside it, which it requires for what is rare; and esbuild's metafile
 */
export async function bundleInChunks(entryPoints, isRare, options) {
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints,
    outdir: OUTPUT,
    format: 'esm',
    splitting: true,
    metafile: true,
    // It is how chunks are told apart.
    supported: { 'dynamic-import': true },
    minify: false,
    write: false,
  });
  const names = outputFiles.map(({ path }) => relative(OUTPUT, path).replace(/\.js$/, ''));
  const chunks = await Promise.all(
    outputFiles.map(({ text, path }) => asFunction(text, path, names, options)),
  );
  const isApart = outputFiles.map(({ path }) => {
    const { inputs, bytes } = metafile.outputs[relative('.', path)];
    const rare = Object.entries(inputs).filter(([file]) => isRare(file));
    return rare.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0) > bytes / 2;
  });
  const rest = chunks.flatMap((chunk, number) => (isApart[number] ? `${number}: ${chunk}` : []));
  const entries = Object.keys(entryPoints).map((name) => [name, names.indexOf(name)]);
  const text = `${HELPERS}const chunks = [${chunks.map((chunk, number) => (isApart[number] ? '' : chunk)).join(',\n')}];
const entries = ${JSON.stringify(Object.fromEntries(entries))};
const modules = [];
const loaded = [];
function chunk(number) {
  let module = modules[number];
  if (!module) {
    module = modules[number] = { exports: {} };
    loaded.push(number);
    const evaluate = chunks[number] ?? require('./rest.js')[number];
    evaluate(module.exports, module, require, chunk, namespace);
  }
  return module.exports;
}
function namespace(number) {
  const exports = {};
  __export(exports, chunk(number));
  return exports;
}
const load = (name, export_) => chunk(entries[name])[export_]();
`;
  return { text, rest: `${HELPERS}Object.assign(exports, { ${rest.join(',\n')} });\n`, metafile };
}

/** An ES module whose imports of other chunks are calls of `chunk(number)`. */
async function asFunction(text, path, names, { target, platform, legalComments }) {
  const shared = { target, platform, legalComments };
  // Code in a `vm.Script` has no `import()`.
  const supported = { 'dynamic-import': false };
  const { code } = await transform(text, { ...shared, supported, format: 'cjs' });
  const numberOf = (file) => names.indexOf(relative(OUTPUT, resolve(path, '..', file)));
  const called = callingExports(withoutHelpers(code), (file) => numberOf(file) >= 0);
  const linked = putOff(called.replace(TO_ESM, '__toESM('))
    .replace(/__toESM\(require\("(\.[^"]+)\.js"\)\)/g, (call, file) =>
      numberOf(file) < 0 ? call : `__namespace(${numberOf(file)})`,
    )
    .replace(/require\("(\.[^"]+)\.js"\)/g, (call, file) =>
      numberOf(file) < 0 ? call : `__chunk(${numberOf(file)})`,
    );
  // Names as no variable has them in between.
  const whole = `module.exports = function (exports, module, require, __chunk, __namespace) { ${linked} }`;
  const minified = await transform(whole, { ...shared, format: 'cjs', minify: true });
  return minified.code.replace(/^[\s\S]*?module\.exports=/, '').replace(/;?\s*$/, '');
}

/** A helper that is here once for all, where esbuild takes it from a chunk. */
const TO_ESM = /\(0, \(import_\w+\.__toESM\(\)\)\)\(/g;

/**
 * What a chunk exports are the functions that esbuild would make getters of, and who uses an export calls
 * it: to define a getter takes longer than most exports take to be evaluated.
 */
function callingExports(code, isChunk) {
  const exporting =
    /^var (\w+) = \{\};\n__export\(\1, (\{[\s\S]*?\n\})\);\nmodule\.exports = __toCommonJS\(\1\);$/m;
  const own = code.replace(exporting, 'module.exports = $2;');
  const imports = /^var (\w+) = require\("(\.[^"]+)\.js"\);$/gm;
  const linked = [...own.matchAll(imports)].filter(([, , file]) => isChunk(file));
  if (linked.length === 0) return own;
  const names = linked.map(([, name]) => name).join('|');
  const whole = new RegExp(`${NO_PROPERTY}(${names})\\b(?!\\.)`).exec(own.replace(imports, ''));
  if (whole) throw new Error(`${whole[1]} is wanted as a whole`);
  return own.replace(new RegExp(`${NO_PROPERTY}(${names})\\.[\\w$]+`, 'g'), '($&())');
}

/**
 * What esbuild writes at the head of each module: here it is once for all, and the exports of a chunk,
 * which nobody changes, are not copied.
 */
const HELPERS = `const __defProp = Object.defineProperty;
const __export = (target, all) => {
  for (const name in all) __defProp(target, name, { get: all[name], enumerable: true });
};
const __toCommonJS = (exports) => __defProp(exports, '__esModule', { value: true });
const __toESM = (module, isNode) => {
  if (module?.__esModule && !isNode) return module;
  const copy = { default: module };
  for (const name of Object.getOwnPropertyNames(Object(module))) {
    const { enumerable } = Object.getOwnPropertyDescriptor(module, name);
    if (name !== 'default') __defProp(copy, name, { get: () => module[name], enumerable });
  }
  return copy;
};
`;

function withoutHelpers(code) {
  const head =
    /^(var __(create|defProp|getOwnPropDesc|getOwnPropNames|getProtoOf|hasOwnProp) = Object\.[^\n]*;\n|var __(export|copyProps) = [\s\S]*?\n};\n|var __toESM = [\s\S]*?\n\)\);\n|var __toCommonJS = [^\n]*\n)+/;
  return code.replace(head, '');
}

/**
 * Puts off what a CommonJS module requires until it is used. It has to come from TypeScript or esbuild,
 * which write a property's name behind each use of another module.
 */
export function putOff(code) {
  const declaration =
    /^(?:const|var) (\w+) = (?:(__importDefault|__importStar|__toESM)\()?(require\("[^"]+"\)|require_\w+\(\)|\(0, \(import_\w+\.require_\w+\(\)\)\)\(\))(, 1)?\)?;$/gm;
  const required = new Map();
  const rest = code.replace(declaration, (whole, name, wrapper, call, isNode = '') => {
    // Somebody wants all of it, and not a property.
    const isValue = new RegExp(`${NO_PROPERTY}${name}\\b(?!\\.)`).test(code.replace(whole, ''));
    if (isValue) return whole;
    required.set(name, wrapper ? `${wrapper}(${call}${isNode})` : call);
    return `var ${name};`;
  });
  if (required.size === 0) return code;
  const use = new RegExp(`${NO_PROPERTY}(${[...required.keys()].join('|')})(?=\\.)`, 'g');
  // What a name is required by may be put off itself.
  const late = (text) => text.replace(use, (name) => `(${name} ??= ${late(required.get(name))})`);
  return late(rest);
}

/** Stands before a name that is no property, but may be one whose parts are spread. */
const NO_PROPERTY = String.raw`(?<![\w$'"]|(?<!\.\.)\.)`;
