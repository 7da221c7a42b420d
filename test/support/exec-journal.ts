import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ExecHost } from './exec-host.ts';

/*
 * Commands that write the time again and again: what they wrote last was their last moment.
 */

const SCRIPT = fileURLToPath(new URL('./exec-child.sh', import.meta.url));

/** @param line of bash, which may say `tick NAME`, and `nap SECONDS` */
export const script = (line: string): string[] => ['bash', '-c', `. '${SCRIPT}'; ${line}`];

/** Two generations that do not end when they are asked to. */
export const STUBBORN = script(
  'trap "" TERM INT HUP QUIT; (tick grandchild) & echo "ready $$"; tick child',
);

/** The moments that were written, in milliseconds since 1970. */
export function ticksOf(host: ExecHost, name: string): number[] {
  const file = host.file(name);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => Number(line) / 1_000);
}

export const lastTick = (host: ExecHost, name: string): number => ticksOf(host, name).at(-1) ?? 0;

/** That both the child and the grandchild had begun, and none of them worked at that moment or later. */
export function expectDeadBefore(host: ExecHost, moment: number): void {
  for (const name of ['child', 'grandchild']) {
    expect(ticksOf(host, name).length).toBeGreaterThan(3);
    expect(lastTick(host, name)).toBeLessThan(moment);
  }
}
