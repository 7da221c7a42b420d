import { cpSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createSandbox, temporaryDirectory } from '../support/sandbox.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test.each<[string, (manifest: string) => void]>([
  ['missing', (manifest) => rmSync(manifest)],
  ['cut', (manifest) => truncateSync(manifest, 1_000)],
])('a manifest that is %s is told where it is needed', async (_, spoil) => {
  const directory = temporaryDirectory();
  for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json']) {
    cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  spoil(join(directory, 'oclif.manifest.json'));
  const bin = join(directory, 'bin', 'run.js');
  const { run } = createSandbox();
  expect((await run(['lease', 'k'], { bin })).code).toBe(0);
  const { code, stderr } = await run(['lease', '--help'], { bin });
  expect(code).toBe(1);
  expect(stderr).toMatch(/oclif\.manifest\.json is damaged\.\nHint: Install leasectl again\./);
});
