import { execFile } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PARTS = ['.ci', 'bin', 'src', 'package.json', 'oclif.manifest.json'];

/**
 * Builds a leasectl that differs in one module.
 *
 * @param directory where it is put
 * @param module its path, e.g. `src/engine/lease.ts`
 * @param substitute a file of this folder that stands in its place
 * @returns the program
 */
export async function buildVariant(
  directory: string,
  module: string,
  substitute: string,
): Promise<string> {
  for (const part of PARTS) cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  cpSync(fileURLToPath(new URL(`./${substitute}`, import.meta.url)), join(directory, module));
  await promisify(execFile)(process.execPath, ['.ci/build.mjs'], { cwd: directory });
  return join(directory, 'bin', 'run.js');
}
