import { chmodSync } from 'node:fs';
import { spawn as spawnTerminal } from '@lydell/node-pty';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { profileFile, usedMachine } from '../support/doctor.ts';
import { addProfile, BIN, type Sandbox } from '../support/sandbox.ts';

describe('on a terminal', () => {
  const shown = (sandbox: Sandbox, cols: number, more: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const terminal = spawnTerminal(process.execPath, [BIN, 'doctor', '--offline'], {
        name: 'xterm-256color',
        cols,
        rows: 50,
        env: { ...sandbox.env, ...more },
      });
      let screen = '';
      terminal.onData((data) => {
        screen += data;
      });
      terminal.onExit(() => resolve(screen.replaceAll('\r', '')));
    });

  test.each([60, 80, 200])('of %d columns it fits, and commands stay whole', async (columns) => {
    const sandbox = await usedMachine();
    await addProfile(sandbox, `p${'x'.repeat(60)}`, 'https://long.example.com');
    chmodSync(sandbox.configDirectory, 0o755);
    const lines = (await shown(sandbox, columns, { NO_COLOR: '1' })).trimEnd().split('\n');
    const mends = lines.filter((line) => line.startsWith('  → '));
    expect(mends).toEqual([`  → chmod 700 ${sandbox.configDirectory}`]);
    const others = lines.filter((line) => !mends.includes(line));
    for (const line of others) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    expect(others[0]).toMatch(/^CHECK +STATUS {2}DETAIL$/);
    const begin = others[0]?.indexOf('DETAIL') ?? 0;
    for (const line of others.slice(1)) {
      expect(line.slice(0, begin), line).toMatch(/^( +|.*(ok|warn|fail) *)$/);
    }
  });

  test('there are colors, and the words stay', async () => {
    const sandbox = await usedMachine();
    chmodSync(sandbox.configDirectory, 0o755);
    chmodSync(profileFile(sandbox, 'prod'), 0o644);
    const screen = await shown(sandbox, 80);
    for (const [color, word] of [
      [32, 'ok'],
      [33, 'warn'],
      [31, 'fail'],
    ]) {
      expect(screen).toContain(`\u001b[${color}m${word}`);
    }
    expect(await shown(sandbox, 80, { NO_COLOR: '1' })).not.toContain('\u001b[3');
  });
});
