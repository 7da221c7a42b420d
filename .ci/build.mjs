// Bundles src/ into dist/: one entry per command, with what they share split off, so that a command
// loads only what it uses. Everything but the native SQLite module is bundled, at the versions of
// the lockfile, with the licences of what is.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['src/main.ts', 'src/commands/**/*.ts'],
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // ES modules are smaller when bundled, and UMD ones cannot be.
  mainFields: ['module', 'main'],
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  external: ['libsql'],
  loader: { '.sql': 'text' },
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  // What is CommonJS among the dependencies wants a `require`.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((file) => {
    const directory = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
    return directory ? [directory[0]] : [];
  }),
);
const licences = await Promise.all(
  [...packages].sort().map(async (directory) => {
    const { name, version, license } = JSON.parse(
      await readFile(join(directory, 'package.json'), 'utf8'),
    );
    const file = (await readdir(directory)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(join(directory, file), 'utf8') : `Licence: ${license}\n`;
    return `${name} ${version}\n\n${text.trim()}\n`;
  }),
);
await writeFile('dist/THIRD-PARTY-LICENSES.txt', licences.join(`\n${'-'.repeat(80)}\n\n`));
