import { spawn } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BIN, createSandbox, outcomeOf } from '../support/sandbox.ts';

/** A user whom the system's list does not have, as in some containers. */
const NOBODY = 54_321;

/** What comes of a command of such a user, with only that in its environment. */
function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  const ids = { uid: NOBODY, gid: NOBODY };
  return outcomeOf(spawn(process.execPath, [BIN, ...args], { ...ids, env, cwd: '/' }));
}

describe.skipIf(process.getuid?.() !== 0)('who has no home', () => {
  test('but says where all files are, needs none', async () => {
    const { directory, env } = createSandbox();
    chownSync(directory, NOBODY, NOBODY);
    const { HOME: _, ...rest } = env;
    const places = { ...rest, XDG_CACHE_HOME: join(directory, 'cache') };
    expect(await run(['lease', 'k', '--json'], places)).toMatchObject({ code: 0, stderr: '' });
  });

  test('and says nothing, is told what to set', async () => {
    const PATH = process.env['PATH'] ?? '';
    expect(await run(['--version'], { PATH })).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await run(['lease', 'k'], { PATH });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'Error: There is no home directory to keep files in.\nHint: Set HOME to one.\n',
    });
  });
});
