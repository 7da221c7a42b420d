import { execFileSync } from 'node:child_process';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { NASTY } from '../support/hostile.ts';
import { addProfile } from '../support/sandbox.ts';
import { runWide } from '../support/screens.ts';
import { type Reply, startLastingStub } from '../support/stub-server.ts';
import { createWhyMachine } from '../support/why-machine.ts';

/*
 * A service that puts into each text what acts on terminals, and ten kilobytes of it.
 */

const LONG = `${NASTY}${'漢字 and more '.repeat(800)}`;
const NOW = '2026-11-22T12:00:00.000Z';

const origin = (text: string) => ({
  ...{ host: text, user: text, pid: 1, pid_namespace: text, command: text },
  ...{ repository: text, commit: text },
  ci: { provider: text, url: `https://${text}`, job: text, actor: text },
});

const leaseWith = (text: string, state: string) => ({
  ...{ kind: text, id: text, state, holder: text, fencing_token: 3, version: 9 },
  ...{ first_seen_at: text, acquired_at: NOW, ttl: 1e300, changed_at: text },
  ...{ expires_at: state === 'held' ? '2026-11-22T12:01:00.000Z' : null },
  ...{ finished_at: state === 'failed' ? NOW : null, error_code: text },
  ...{ cancel_requested: false, closed: false, origin: origin(text) },
  ...{ result_hash: text, metadata: { [text]: text }, work: null, now: NOW },
});

const TYPES = ['acquired', 'extended', 'refused', 'released', 'broken', 'failed', NASTY];
const historyWith = (text: string) => ({
  next: null,
  events: Array.from({ length: 100 }, (_, index) => ({
    ...{ sequence: 1000 - index, kind: 'key', id: text, type: TYPES[index % TYPES.length] },
    ...{ at: index % 3 === 0 ? text : NOW, fencing_token: index % 4, version: index },
    caller: `${index}${text}`,
    detail: { ttl: 1e300, error_code: text, reason: index % 2 ? 'held' : text, command: 'acquire' },
  })),
});

const answering =
  (text: string, state: string): Reply =>
  ({ url }, response) => {
    const body = url.includes('/history') ? historyWith(text) : leaseWith(text, state);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** Whatever could act on a terminal, but the ends of lines. */
const ACTING = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** A screen. */
const MOST_LINES = 60;

describe.each(['held', 'expired', 'failed', 'untold'])('a lease that is %s', (state) => {
  test.each([80, 140])('keeps its shape, and nothing acts, at %i columns', async (columns) => {
    const machine = createWhyMachine();
    const { url } = await startLastingStub(answering(LONG, state));
    await addProfile(machine, 'team', url, 'token', 'leasectl');
    const { code, text } = await runWide(machine, ['why', 'deploy', '--no-color'], columns);
    expect(code).toBe(0);
    expect(text).not.toMatch(ACTING);
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(MOST_LINES);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines.at(-1)).toMatch(/^Next {2,}leasectl /);
  });

  test('is one line a fact in a pipe, and one line of JSON', async () => {
    const machine = createWhyMachine();
    const { url } = await startLastingStub(answering(LONG, state));
    await addProfile(machine, 'team', url, 'token', 'leasectl');
    const { stdout, stderr } = await machine.run(['why', 'deploy']);
    expect(stderr).toBe('');
    expect(stdout.replaceAll('\t', '')).not.toMatch(ACTING);
    for (const line of stdout.trimEnd().split('\n'))
      expect(line).toMatch(/^[A-Z][A-Za-z ]+\t[^\t]+$/);
    const json = await machine.run(['why', 'deploy', '--json']);
    expect(json.stdout).not.toMatch(ACTING);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'key', id: 'deploy' });
  });
});

test('a key that acts on terminals itself does not', async () => {
  const machine = createWhyMachine();
  const key = `\u202egnp ${'🎉漢'.repeat(60)} $(rm -rf /) 'x'`;
  await machine.json(['lease', key, '--ttl', '15m']);
  for (const columns of [80, 140]) {
    const { code, text } = await runWide(machine, ['why', key, '--no-color'], columns);
    expect(code).toBe(0);
    expect(text).not.toMatch(ACTING);
    const lines = text.trimEnd().split('\n');
    // The command to be copied is whole.
    for (const line of lines.slice(0, -1)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
  }
  const told = await machine.why(key);
  const [, word = ''] = /^leasectl wait (.*)$/.exec(String(told['next'])) ?? [];
  expect(word).not.toMatch(ACTING);
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  expect(execFileSync('bash', ['-c', `printf %s ${word}`], { env, encoding: 'utf8' })).toBe(key);
});
