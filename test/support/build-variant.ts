import { execFile } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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
  const own = fileURLToPath(new URL(`./${substitute}`, import.meta.url));
  return buildChanged(directory, { [module]: () => readFileSync(own, 'utf8') });
}

/**
 * Builds a leasectl of which some modules are changed.
 *
 * @param directory where it is put
 * @param changes by a module's path, what its source becomes
 * @returns the program
 */
export async function buildChanged(
  directory: string,
  changes: Readonly<Record<string, (source: string) => string>>,
): Promise<string> {
  for (const part of PARTS) cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  for (const [module, change] of Object.entries(changes)) {
    const source = readFileSync(join(ROOT, module), 'utf8');
    const changed = change(source);
    if (changed === source) throw new Error(`${module} is not what it was: nothing was changed`);
    writeFileSync(join(directory, module), changed);
  }
  await promisify(execFile)(process.execPath, ['.ci/build.mjs'], { cwd: directory });
  return join(directory, 'bin', 'run.js');
}
