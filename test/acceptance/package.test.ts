import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createSandbox, temporaryDirectory } from '../support/sandbox.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const npm = async (...args: string[]) =>
  (await promisify(execFile)('npm', args, { cwd: ROOT })).stdout;
const readRoot = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('the packed package works when installed where nothing else is', async () => {
  const directory = temporaryDirectory();
  // What is built already is packed: building anew would pull it away under other tests.
  const packed = await npm('pack', '--ignore-scripts', '--json', '--pack-destination', directory);
  const [{ filename, unpackedSize, files }] = JSON.parse(packed);
  const paths = files.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'bin/run.js',
      'dist/main.js',
      'oclif.manifest.json',
      'README.md',
      'LICENSE',
    ]),
  );
  expect(paths.filter((path: string) => /^(src|test|\.)/.test(path))).toEqual([]);

  const prefix = join(directory, 'prefix');
  await npm('install', '--global', '--prefix', prefix, join(directory, filename));
  const installed = join(prefix, 'lib', 'node_modules', 'leasectl');

  const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  expect(scripts).not.toHaveProperty('preinstall');
  expect(scripts).not.toHaveProperty('install');
  expect(scripts).not.toHaveProperty('postinstall');

  const sandbox = createSandbox();
  const bin = join(installed, 'bin', 'run.js');
  expect(await sandbox.json(['lease', 'hello', '--ttl', '60s'], { bin })).toMatchObject({
    ttl: 60,
  });
  expect((await sandbox.run(['complete', 'hello'], { bin })).code).toBe(0);
  expect((await sandbox.run(['lease', '--help'], { bin })).stdout).toContain('leasectl lease KEY');

  // Whatever is not bundled is of the lockfile's version, and runs no script.
  const locked = JSON.parse(readRoot('package-lock.json')).packages;
  const others = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path),
  );
  expect(others.length).toBeGreaterThan(0);
  for (const path of others) {
    const { version, scripts: hooks = {} } = JSON.parse(
      readFileSync(join(installed, path), 'utf8'),
    );
    expect({ path, version }).toEqual({ path, version: locked[dirname(path)]?.version });
    for (const hook of ['preinstall', 'install', 'postinstall'])
      expect(hooks).not.toHaveProperty(hook);
  }

  const stated = Number(/unpacks to (\d+) kB/.exec(readRoot('README.md'))?.[1]);
  expect(Math.abs(unpackedSize / 1000 - stated) / stated).toBeLessThan(0.1);
});
