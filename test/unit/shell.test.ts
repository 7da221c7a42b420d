import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { quoted } from '../../src/domain/shell.ts';
import { visible } from '../../src/terminal/visible.ts';

test.each([
  'deploy/prod',
  'a b',
  "it's",
  '',
  '$HOME `x` \\',
  'ü 👨‍👩‍👧',
  'rtl\u202eabc',
  "\u202e'\\n\u2066",
  'a\nb\u001b[31m',
])('bash takes %j literally, as it is shown', (word) => {
  const line = `printf %s ${visible(quoted(word))}`;
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  expect(execFileSync('bash', ['-c', line], { env, encoding: 'utf8' })).toBe(word);
});
