import { expect, test } from 'vitest';
import { buildChanged } from '../support/build-variant.ts';
import { createSandbox, temporaryDirectory } from '../support/sandbox.ts';

test('a command that waits for what cannot happen is no success', async () => {
  const forever = 'await new Promise(() => undefined);';
  const bin = await buildChanged(temporaryDirectory(), {
    'src/base-command.ts': (source) =>
      source.replace('const answer = await', `${forever} const answer = await`),
  });
  const { code, stdout, stderr } = await createSandbox().run(['profile', 'list'], { bin });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('waits for what cannot happen');
});
