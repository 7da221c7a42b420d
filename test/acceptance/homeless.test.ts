import { spawn } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BIN, createSandbox, outcomeOf } from '../support/sandbox.ts';

/** A user whom the system's list does not have, as in some containers. */
const NOBODY = 54_321;

test.skipIf(process.getuid?.() !== 0)(
  'who has no home, but says where all files are, needs none',
  async () => {
    const { directory, env } = createSandbox();
    chownSync(directory, NOBODY, NOBODY);
    const { HOME: _, ...rest } = env;
    const child = spawn(process.execPath, [BIN, 'lease', 'k', '--json'], {
      env: { ...rest, XDG_CACHE_HOME: join(directory, 'cache') },
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
    });
    expect(await outcomeOf(child)).toMatchObject({ code: 0, stderr: '' });
  },
);
