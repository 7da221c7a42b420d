import { readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readQuestion, SHELLS } from './completion/answer.ts';
import type { Sources } from './completion/candidates.ts';
import { complete } from './completion/candidates.ts';
import { readSurface } from './completion/surface.ts';

/*
 * What the scripts of `leasectl completion` ask at every press of the TAB key, as
 * `leasectl __complete SHELL …`. It is a bundle of its own, small enough to do without a code cache:
 * all of leasectl would take too long to load. It asks nobody, reads no secret, and writes nothing.
 */

/**
 * Answers on stdout. Whoever types a command is not to be disturbed: whatever is wrong, there is
 * nothing to choose from then.
 *
 * @param packageDirectory where package.json and the manifest lie
 * @param argv the shell's name, and what its script gives
 */
export async function answer(packageDirectory: string, argv: readonly string[]): Promise<void> {
  try {
    const [name, ...given] = argv;
    const shell = SHELLS.find((known) => known === name);
    if (!shell) return;
    const read = (file: string): unknown =>
      JSON.parse(readFileSync(join(packageDirectory, file), 'utf8'));
    const surface = readSurface(read('oclif.manifest.json'), read('package.json'));
    const { line, write } = readQuestion(shell, given, listFiles);
    const text = write(await complete(line, surface, values));
    // Written at once: to make a stream of stdout takes as long as all the rest.
    let rest = Buffer.from(text);
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
  } catch {
    // See above.
  }
}

/** As a shell does: hidden ones only where that was asked for. */
function listFiles(start: string): string[] {
  const directory = start.slice(0, start.lastIndexOf('/') + 1);
  const name = start.slice(directory.length);
  return readdirSync(directory || '.')
    .filter((entry) => entry.startsWith(name) && (name !== '' || !entry.startsWith('.')))
    .map((entry) => {
      const isDirectory = statSync(directory + entry, { throwIfNoEntry: false })?.isDirectory();
      return `${directory}${entry}${isDirectory ? '/' : ''}`;
    });
}

/** Loaded only where values are asked for, which are not those that a flag can have. */
const values: Sources = {
  held: async (wanted) => (await loadValues()).held(wanted),
  profiles: async (service, areStored) => (await loadValues()).profiles(service, areStored),
};

async function loadValues(): Promise<Sources> {
  const { valuesFrom } = await import('./completion-values.ts');
  return valuesFrom(process.env, Date.now());
}
