import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mislaidIn } from '../support/canary-files.ts';
import { createCanaryRoot } from '../support/canary-machine.ts';
import { type Report, tryOut } from '../support/canary-run.ts';
import { SCENARIOS } from '../support/canary-scenarios.ts';
import { type CanaryService, startCanaryService } from '../support/canary-service.ts';
import { COMMANDS } from '../support/canary-surface.ts';
import { createTemplate, type Template } from '../support/canary-template.ts';
import { TRIALS, type Trial } from '../support/canary-trials.ts';

/*
 * Every command, in all ways in which it takes secrets, with services that say them again however
 * they can: none comes to light. See canary-surface.ts for how a new command is covered.
 */

const AT_ONCE = 4;
const reports: Report[] = [];
let root: string;
let service: CanaryService;
let template: Template;
let mask: number;

beforeAll(async () => {
  // So that whatever is not made private can be read by all.
  mask = process.umask(0);
  root = createCanaryRoot();
  service = await startCanaryService();
  template = await createTemplate(root, service.url);
});

afterAll(async () => {
  process.umask(mask);
  await service.close();
  rmSync(root, { recursive: true, force: true });
});

async function tryAll(trials: readonly Trial[]): Promise<void> {
  const waiting = [...trials];
  const work = async () => {
    for (let trial = waiting.shift(); trial; trial = waiting.shift()) {
      reports.push(await tryOut(trial, template, service));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

test.each(SCENARIOS)('$name', async (scenario) => {
  service.behave(scenario.behavior);
  const trials = TRIALS.filter((trial) => trial.scenario === scenario);
  const before = reports.length;
  await tryAll(trials);
  const leaks = reports.slice(before).filter(({ leaks }) => leaks.length > 0);
  expect(leaks.map(({ line, leaks }) => [line, ...leaks].join('\n')).join('\n\n')).toBe('');
});

/** Those that an answer was asked for. */
const asked = () => reports.filter(({ trial }) => trial.scenario.modes.includes('text'));

test('every command was more than typed wrongly', () => {
  const unused = COMMANDS.filter(({ id, service }) => {
    const own = asked().filter(({ trial }) => trial.form.command.id === id);
    const isOnline = service !== undefined && service !== 'embedded';
    // Who speaks to a service and succeeds has reached it.
    return !own.some(({ code, trial }) =>
      isOnline ? code === 0 && !trial.scenario.embedded : code !== 2,
    );
  });
  const hint = 'what cannot be guessed is to be told in canary-surface.ts';
  expect(
    unused.map(({ id }) => id),
    hint,
  ).toEqual([]);
});

test('what leasectl runs was looked at', () => {
  const isSeen = (pattern: RegExp, own: readonly Report[]) =>
    own.some(({ lookedAt }) => pattern.test(lookedAt));
  expect(isSeen(/print\.sh/, asked())).toBe(true);
  for (const command of COMMANDS.filter(({ runsCommand }) => runsCommand)) {
    const own = asked().filter(({ trial }) => trial.form.command === command);
    expect(isSeen(/look\.sh/, own), command.id).toBe(true);
    expect(isSeen(/guard\.js/, own), command.id).toBe(true);
    const watchdogs = own
      .flatMap(({ seen }) => seen.children)
      .filter(({ commandLine }) => commandLine.includes('guard.js'));
    expect(watchdogs.length).toBeGreaterThan(0);
    expect(new Set(watchdogs.map(({ environment }) => environment))).toEqual(new Set(['']));
  }
});

test('nothing of it is in what all runs share', () => {
  expect(mislaidIn(join(root, 'shared'))).toEqual([]);
});
