import { expect, test } from 'vitest';
import { json, NASTY, once, startRaw } from '../support/hostile.ts';
import { createSandbox } from '../support/sandbox.ts';

/*
 * What a service says of its leases acts on no terminal: ids, names and reasons are anybody's words.
 */

const ACTING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const LONG = 'long '.repeat(20_000);

function answers(text: string) {
  const lease = {
    ...{ kind: text, id: text, state: text, holder: text, fencing_token: 1, version: 1 },
    ...{ first_seen_at: text, changed_at: text, expires_at: text, finished_at: text },
    ...{ error_code: text, cancel_requested: false, closed: false, acquired_at: text, ttl: 1 },
    ...{ result_hash: text, metadata: { [text]: text }, now: text },
    work: {
      ...{ pool: text, workspace: text, tags: [text], runners: [text], max_tries: 1 },
      data: { [text]: text },
    },
  };
  const event = {
    ...{ sequence: 1, kind: text, id: text, type: text, at: text, fencing_token: 1, version: 1 },
    ...{ before: text, after: text, caller: text, request_id: text, detail: { [text]: text } },
  };
  const token = {
    ...{ name: text, namespace: text, scope: text, created_at: text },
    ...{ expires_at: text, last_used_at: text, revoked_at: text },
  };
  const secret = text.slice(0, 1_000);
  const client = { client_id: text, name: text, scope: text };
  return [
    [['leases', 'list'], { leases: [lease, { ...lease, state: 'held' }], next: text, now: text }],
    [['leases', 'show', 'k'], lease],
    [['leases', 'show', 'k'], { ...lease, state: 'held' }],
    [['leases', 'break', 'k'], lease],
    [['history'], { events: [event], next: null }],
    [['tokens', 'list'], [token]],
    [['tokens', 'revoke', 't'], token],
    [['tokens', 'add', 't', '--scope', 'admin'], { token: secret, ...token }],
    [['clients', 'list'], [client]],
    [['clients', 'add', 'c', '--scope', 'admin'], { client_secret: secret, ...client }],
    [['clients', 'remove', 'c'], { name: text, removed: true }],
    [['runner-jobs', 'cancel', 'j'], { id: text, status: text, cancel_job: true }],
  ] as const;
}

test.each([
  ['control characters', NASTY],
  ['fields of 100 kilobytes', LONG],
])('%s are shown, and act on nothing', async (_, text) => {
  for (const [words, answer] of answers(text)) {
    for (const more of [[], ['--json'], ['--wide']]) {
      const { url } = await startRaw(once(json(answer)));
      const env = { LEASECTL_URL: url, LEASECTL_TOKEN: 'canary-token-53' };
      const shown = await createSandbox().run(['admin', ...words, ...more], { env });
      expect(shown.code, `${words.join(' ')}: ${shown.stderr}`).toBe(0);
      expect((shown.stdout + shown.stderr).replace(/[\n\t]/g, '')).not.toMatch(ACTING);
      if (more.includes('--json')) expect(JSON.parse(shown.stdout)).toEqual(answer);
    }
  }
});
