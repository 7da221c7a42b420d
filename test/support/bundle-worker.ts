import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles a program of this folder, which is TypeScript, into something that node runs.
 *
 * @param name of the program, without `.ts`
 * @param directory where the bundle is put
 * @returns the bundle's file
 */
export async function bundleWorker(name: string, directory: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  // Found from a temporary directory too.
  const alias = {
    libsql: fileURLToPath(import.meta.resolve('libsql')),
    'libsql/promise': fileURLToPath(import.meta.resolve('libsql/promise')),
  };
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    loader: { '.sql': 'text' },
    alias,
    external: Object.values(alias),
  });
  return outfile;
}
