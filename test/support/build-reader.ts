import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { temporaryDirectory } from './sandbox.ts';

/** Builds secret-reader.ts. @returns the program, which goes with the test */
export async function buildReader(): Promise<string> {
  const outfile = join(temporaryDirectory(), 'reader.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./secret-reader.ts', import.meta.url))],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
