import { expect, test } from 'vitest';
import { http, JSON_TYPE, NASTY, startRaw } from '../support/hostile.ts';
import { openTerminal } from '../support/person.ts';
import { createSandbox } from '../support/sandbox.ts';

/*
 * Who holds a lease, and where it was taken, are anybody's words; so is the key.
 */

const ACTING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const TOKEN = 'canary-token-53';
const breaking = ['break', 'k', '--reason', 'r', '--yes'];

function lease(text: string, version: number) {
  return {
    ...{ kind: text, id: text, state: 'held', holder: text, fencing_token: 1, version },
    ...{ first_seen_at: text, changed_at: text, expires_at: text, finished_at: null, ttl: 60 },
    ...{ error_code: text, cancel_requested: false, closed: false, acquired_at: text },
    ...{ result_hash: null, metadata: { [text]: text }, now: text, work: null },
    origin: {
      ...{ host: text, user: text, pid: 1, command: text, repository: text, commit: text },
      ci: { provider: text, url: text, job: text, actor: text },
    },
  };
}

/** A service whose leases are renewed at each look, or are broken in its own words. */
async function serviceSaying(text: string, isRenewed: boolean) {
  let version = 1;
  const { url } = await startRaw((socket) => {
    if (isRenewed) version += 1;
    socket.end(http('200 OK', [JSON_TYPE], JSON.stringify(lease(text, version))));
  });
  return { LEASECTL_URL: url, LEASECTL_SERVICE: 'leasectl', LEASECTL_TOKEN: TOKEN };
}

test.each([
  ['control characters', NASTY],
  ['names of 100 kilobytes', 'long '.repeat(20_000)],
])('%s act on nothing', async (_, text) => {
  for (const isRenewed of [true, false]) {
    for (const more of [[], ['--json'], ['--wide']]) {
      const env = await serviceSaying(text, isRenewed);
      const args = [...breaking, '--observe', '1s', ...more];
      const { code, stdout, stderr } = await createSandbox().run(args, { env });
      expect(code, stderr).toBe(isRenewed ? 11 : 0);
      expect((stdout + stderr).replace(/[\n\t]/g, '')).not.toMatch(ACTING);
      for (const line of stderr.split('\n')) expect(line.length).toBeLessThan(4_000);
    }
  }
});

test('a key that acts on terminals is asked for as it is shown', async () => {
  const sandbox = createSandbox();
  const key = 'a\u202eb\u2066';
  await sandbox.json(['lease', key]);
  const person = await openTerminal(sandbox);
  person.type("leasectl break $'a\\342\\200\\256b\\342\\201\\246' --reason x --force");
  await person.answers(/\? Type a\\u202eb\\u2066 to break its lease/, 'a\\u202eb\\u2066');
  await person.sees(/│ Lease {2}│ broken/);
  // What follows the line that was typed is leasectl's.
  const [, ...sent] = person.sent().split('--force');
  expect(sent.join('')).not.toMatch(/[\u202e\u2066]/);
});

test('a key of 512 characters is asked for in a line', async () => {
  const sandbox = createSandbox();
  const key = `begin${'x'.repeat(500)}end`;
  await sandbox.json(['lease', key]);
  const person = await openTerminal(sandbox, 140);
  person.type(`leasectl break $(printf 'begin%0500dend' 0 | tr 0 x) --reason x --force`);
  const [, shown = ''] = await person.sees(/\? Type (begin\S+end) to break its lease/);
  expect(shown.length).toBeLessThan(70);
  person.type(shown);
  await person.sees(/│ Lease {2}│ broken/);
});
