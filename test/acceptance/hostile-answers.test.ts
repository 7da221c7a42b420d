import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STATE } from '../support/hosted-answers.ts';
import { fitting, http, JSON_TYPE, json, NASTY, once, startRaw } from '../support/hostile.ts';
import { createSandbox } from '../support/sandbox.ts';

const TOKEN = 'canary-token-53';
const ACTING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const tame = (shown: string) => expect(shown.replace(/[\n\t]/g, '')).not.toMatch(ACTING);
const SHOWING = [
  ['status', 'k'],
  ['result', 'k'],
  ['result', 'k', '--raw'],
  ['jobs', 'list'],
  ['runner-jobs', 'lease', '--runner-id', 'r', '--runner-host', 'SELF'],
];

describe('an answer that fits', () => {
  test.each([
    ['with control characters', NASTY],
    ['with fields of 300 kilobytes', 'long '.repeat(60_000)],
    ['with the words of an object', '__proto__'],
  ])('%s is shown, and acts on nothing', async (_, text) => {
    const { url } = await startRaw(once(json(fitting(text))));
    for (const words of SHOWING) {
      for (const more of words.includes('--raw') ? [[]] : [[], ['--json']]) {
        const env = { LEASECTL_URL: url, LEASECTL_TOKEN: TOKEN };
        const { code, stdout, stderr } = await createSandbox().run([...words, ...more], { env });
        expect({ code, stderr }).toEqual({ code: expect.toBeOneOf([0, 8, 9]), stderr: '' });
        tame(stdout);
        if (more.length > 0) expect(JSON.parse(stdout)).toEqual(fitting(text));
      }
    }
  });

  test('with fields that come twice is taken as everybody takes it: the last one counts', async () => {
    const body = JSON.stringify(STATE).replace('{', '{"status":"completed","key":"other",');
    const { url } = await startRaw(once(json(body)));
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: TOKEN };
    const { code, stdout } = await createSandbox().run(['status', 'k'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain('in_progress');
  });

  test('with cookies leaves none behind', async () => {
    const cookie = 'set-cookie: id=canary-cookie; Path=/; Max-Age=99999';
    const { url, seen } = await startRaw(
      once(http('200 OK', [JSON_TYPE, cookie], JSON.stringify(STATE))),
    );
    const sandbox = createSandbox();
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: TOKEN };
    for (let round = 0; round < 2; round += 1) {
      expect((await sandbox.run(['status', 'k'], { env })).code).toBe(0);
    }
    expect(seen.join('')).not.toMatch(/^cookie:/im);
    const files = readdirSync(sandbox.directory, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      expect(readFileSync(join(file.parentPath, file.name)).includes('canary-cookie')).toBe(false);
    }
  });
});

describe('a redirect to another origin', () => {
  const COMMANDS = [
    ['status', 'k'],
    ['lease', 'k'],
    ['complete', 'k', '--lease-id', '-'],
  ];

  test.each([301, 302, 303, 307, 308])('with %i is not followed', async (status) => {
    const other = await startRaw(once(json(STATE)));
    const location = `location: ${other.url}/v1/ai/status?key=k&token=canary-query`;
    const { url, seen } = await startRaw(once(http(`${status} There`, [location])));
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: TOKEN };
    for (const words of COMMANDS) {
      const { run } = createSandbox();
      const { code, stderr } = await run(words, { env, input: 'canary-handle' });
      expect({ code, stderr }).toEqual({
        code: 76,
        stderr: expect.stringContaining(`redirected (${status}) to ${other.url}`),
      });
      expect(stderr).not.toMatch(/canary-(token|handle)/);
    }
    expect(seen).toHaveLength(COMMANDS.length);
    expect(other.seen).toEqual([]);
  });

  test.each([301, 302, 303, 307, 308])(
    'with %i takes no secret of a client along',
    async (status) => {
      const other = await startRaw(once(json({ access_token: 'x', token_type: 'Bearer' })));
      const { url, seen } = await startRaw(
        once(http(`${status} There`, [`location: ${other.url}`])),
      );
      const { run } = createSandbox();
      const profile = ['profile', 'add', 'p', '--service', 'retaia', '--url', `${url}/api/v1`];
      await run([...profile, '--client-id', 'c', '--client-secret-stdin'], {
        input: 'canary-secret',
      });
      expect((await run(['jobs', 'list'])).code).toBe(76);
      expect(seen).toHaveLength(1);
      expect(other.seen).toEqual([]);
    },
  );
});
