import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAILURES, Failure } from '../../src/domain/failure.ts';
import { Redactor } from '../../src/domain/redactor.ts';
import { quoted } from '../../src/domain/shell.ts';
import { failureToJson, toFailure } from '../../src/output/failure.ts';
import { visible, visibleJson } from '../../src/terminal/visible.ts';

test('every failure has an exit code of its own, and none that a shell or a signal uses otherwise', () => {
  const { not_executable, command_not_found, check_failed, ...others } = FAILURES;
  expect([not_executable.exit, command_not_found.exit]).toEqual([126, 127]);
  // The only command that ends so tells by itself what failed.
  expect(check_failed.exit).toBe(1);
  const codes = Object.values(others).map(({ exit }) => exit);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code).toBeLessThan(126);
});

test('the README tells the exit codes as they are', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| (\d+) +\| `(\w+)` +\|/gm)];
  expect(rows.length).toBeGreaterThan(10);
  for (const [, exit, name = ''] of rows) {
    expect(FAILURES).toHaveProperty(name, expect.objectContaining({ exit: Number(exit) }));
  }
});

test('a failure as JSON has what is known of it and nothing else', () => {
  const failure = new Failure('lease_lost', 'Gone.', {
    hint: 'Stop.',
    status: 409,
    reason: 'lease_expired',
    cause: new Error('secret'),
  });
  expect(JSON.parse(JSON.stringify(failureToJson(failure, { clean: (text) => text })))).toEqual({
    error: { code: 'lease_lost', message: 'Gone.', hint: 'Stop.', status: 409, retryable: false },
  });
});

test('whatever is thrown becomes a failure', () => {
  expect(toFailure(new TypeError('x is not a function'))).toMatchObject({
    code: 'internal',
    message: 'leasectl has a bug: TypeError: x is not a function',
  });
  expect(toFailure('text')).toMatchObject({ code: 'internal' });
});

test('secrets are taken out of any text, also as a URL has them', () => {
  const redactor = new Redactor();
  redactor.add('s3cr+t/=');
  expect(redactor.clean('a s3cr+t/= b ?t=s3cr%2Bt%2F%3D')).toBe('a *** b ?t=***');
});

test('what would act on a terminal is spelled out', () => {
  expect(visible('a\u001b[31m\nb\u009b\u202e\u2028é🎉')).toBe(
    'a\\u001b[31m\\u000ab\\u009b\\u202e\\u2028é🎉',
  );
  const value = { '\u009b': ['\u202e', '\u001b', 'é🎉', '\n'] };
  expect(visibleJson(value, 0)).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(JSON.parse(visibleJson(value))).toEqual(value);
});

test('words are quoted for a shell when they need it', () => {
  expect(['a/b:c_1', 'a b', "it's", '$(id)', ''].map(quoted)).toEqual([
    'a/b:c_1',
    "'a b'",
    "'it'\\''s'",
    "'$(id)'",
    "''",
  ]);
});
