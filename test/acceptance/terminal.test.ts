import { spawn } from '@lydell/node-pty';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { addProfile, BIN, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

/** Runs leasectl on a terminal of its own and gives all that it shows. */
function runOnTerminal(
  { env }: Sandbox,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  cols = 100,
): Promise<{ code: number; screen: string }> {
  return new Promise((resolve) => {
    const terminal = spawn(process.execPath, [BIN, ...args], {
      name: more['TERM'] ?? 'xterm-256color',
      cols,
      rows: 30,
      env: { ...env, ...more },
    });
    let screen = '';
    terminal.onData((data) => {
      screen += data;
    });
    terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen }));
  });
}

const ESCAPE = '\u001b[';

describe('on a terminal', () => {
  test('a lease is a table in a box', async () => {
    const { code, screen } = await runOnTerminal(createSandbox(), ['lease', 'hello', '--no-color']);
    expect(code).toBe(0);
    expect(screen.replaceAll('\r', '').replace(/\d{4}-.* left\)/, 'TIME')).toMatch(
      /^┌─+┬─+┐\n│ Key +│ hello +│\n│ Status +│ acquired +│\n│ Until +│ TIME +│\n│ Version +│ 1 +│\n│ Charged +│ 1 \(1 of 1,000,000,000 used\) +│\n│ Profile +│ local +│\n└─+┴─+┘\n$/,
    );
  });

  test('there are colors', async () => {
    const sandbox = createSandbox();
    expect((await runOnTerminal(sandbox, ['lease', 'hello'])).screen).toContain(ESCAPE);
    const failed = await runOnTerminal(sandbox, ['status', 'nope']);
    expect(failed).toMatchObject({
      code: 3,
      screen: expect.stringContaining(`${ESCAPE}31mError:`),
    });
  });

  test.each([
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
    ['--no-color', ['--no-color'], {}],
  ])('there are none with %s', async (_, flags, env) => {
    const sandbox = createSandbox();
    for (const args of [
      ['lease', 'hello'],
      ['status', 'nope'],
      ['profile', 'list'],
    ]) {
      const { screen } = await runOnTerminal(sandbox, [...args, ...flags], env);
      expect(screen).not.toBe('');
      expect(screen).not.toContain(ESCAPE);
    }
  });

  test('a table keeps its shape where there is little room', async () => {
    const sandbox = createSandbox();
    const key = `a${'🎉漢'.repeat(40)}z`;
    await sandbox.json(['lease', key]);
    await sandbox.json(['complete', key, '--result', '{}']);
    const { screen } = await runOnTerminal(sandbox, ['status', key, '--no-color'], {}, 60);
    const lines = screen.replaceAll('\r', '').trimEnd().split('\n');
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(60);
    expect(new Set(lines.map((line) => stringWidth(line))).size).toBe(1);
    expect(screen).toMatch(/│ Key +│ a🎉.*….*漢z +│/);
  });

  test('a list fits, and keeps the ids that have to be copied', async () => {
    const sandbox = createSandbox();
    const flags = ['--type', 'generate_audio_waveform', '--capability', 'ffmpeg'];
    const [job] = Object(await sandbox.json(['admin', 'jobs', 'add', ...flags]));
    const { screen } = await runOnTerminal(sandbox, ['jobs', 'list', '--no-color'], {}, 80);
    const lines = screen.replaceAll('\r', '').trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(stringWidth(line)).toBe(80);
    expect(lines[2]).toMatch(new RegExp(`^│ ${job.job_id} │ gene.*….*form │ pending │ .*….* │`));
    const narrow = await runOnTerminal(sandbox, ['jobs', 'list', '--no-color'], {}, 60);
    const rows = narrow.screen.replaceAll('\r', '').trimEnd().split('\n');
    for (const row of rows) expect(stringWidth(row)).toBeLessThanOrEqual(60);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatch(new RegExp(`^${job.job_id} {2}gene\\S*…\\S+ {2}pending {2}`));
  });

  test('nothing is cut where it is to be wide', async () => {
    const sandbox = createSandbox();
    const key = 'k'.repeat(100);
    await sandbox.json(['lease', key]);
    const status = ['status', key, '--no-color', '--wide'];
    expect((await runOnTerminal(sandbox, status, {}, 60)).screen.replace(/\s/g, '')).toContain(key);
  });

  test('a list may be without the names of its columns', async () => {
    const sandbox = createSandbox();
    const list = ['profile', 'list', '--no-color', '--no-header'];
    const { screen } = await runOnTerminal(sandbox, list);
    expect(screen).toContain('│ local │ all │ embedded │');
    expect(screen).not.toContain('NAME');
  });

  test('a profile was used so long ago, and for whoever reads that later at a time', async () => {
    const sandbox = createSandbox();
    const { url } = await startStub({ status: 401, body: '{}' });
    await addProfile(sandbox, 'prod', url);
    await sandbox.run(['status', 'k', '--profile', 'prod']);
    const list = ['profile', 'list', '--no-color', '--wide'];
    const person = await runOnTerminal(sandbox, list, {}, 120);
    expect(person.screen).toMatch(/ (now|\d+s ago) +│/);
    const zone = { TZ: 'Europe/Berlin' };
    const inUtc = await runOnTerminal(sandbox, [...list, '--utc'], zone, 120);
    expect(inUtc.screen).toMatch(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +│/);
    const piped = await sandbox.run(['profile', 'list'], { env: zone });
    expect(piped.stdout).toMatch(/\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0[12]:00\n$/);
    expect((await sandbox.run(['profile', 'list', '--utc'])).stdout).toMatch(/:\d\dZ\n$/);
  });

  test('JSON chosen by a query is indented', async () => {
    const query = ['profile', 'list', '--query', '[].{name: name}'];
    const { screen } = await runOnTerminal(createSandbox(), query);
    expect(screen.replaceAll('\r', '')).toBe('[\n  {\n    "name": "local"\n  }\n]\n');
  });

  test('JSON keeps the digits that came', async () => {
    const body = '{"ok":true,"status":"failed","key":"k","big":12345678901234567890,"half":1.50}';
    const { url } = await startStub({ status: 200, body });
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: 't' };
    const { screen } = await runOnTerminal(createSandbox(), ['status', 'k', '--json'], env);
    expect(screen.replaceAll('\r', '')).toBe(
      '{\n  "ok": true,\n  "status": "failed",\n  "key": "k",\n  "big": 12345678901234567890,\n  "half": 1.50\n}\n',
    );
  });

  test('a value of any length is cut at once', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'k']);
    await sandbox.json(['fail', 'k', '--error-code', 'x'.repeat(120_000)]);
    const begun = performance.now();
    const { screen } = await runOnTerminal(sandbox, ['status', 'k', '--no-color'], {}, 60);
    expect(screen).toMatch(/│ Error +│ x+…x+ │/);
    // Character by character it took minutes.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('JSON is only JSON', async () => {
    const { screen } = await runOnTerminal(createSandbox(), ['lease', 'hello', '--json']);
    expect(JSON.parse(screen)).toMatchObject({ status: 'acquired' });
  });
});
