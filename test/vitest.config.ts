import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Imports of SQL and of scripts are their text, as in the bundle. */
const importsOfText = {
  name: 'imports-of-text',
  enforce: 'pre' as const,
  async load(id: string) {
    return /\.(sql|bash|zsh|fish)$/.test(id)
      ? `export default ${JSON.stringify(await readFile(id, 'utf8'))};`
      : undefined;
  },
};

const project = (name: string, options: object = {}) => ({
  plugins: [importsOfText],
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

/** Many processes at once, which are to have the machine for themselves. */
const CROWDS =
  'test/acceptance/{canaries,chaos,code-cache,contention,profile-writers,racing,soak,tokens}*.test.ts';
const WHOLE_PROCESSES = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  root,
  test: {
    projects: [
      project('unit'),
      project('contract'),
      // Whole processes on two cores. Much of the time they wait: for leases to end, for time-outs.
      project('acceptance', {
        ...WHOLE_PROCESSES,
        exclude: [CROWDS],
        maxWorkers: 2,
        sequence: { groupOrder: 1 },
      }),
      project('crowds', {
        ...WHOLE_PROCESSES,
        include: [CROWDS],
        fileParallelism: false,
        sequence: { groupOrder: 2 },
      }),
    ],
  },
});
