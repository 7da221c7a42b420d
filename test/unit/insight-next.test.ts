import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DIAGNOSES, diagnose } from '../../src/insight/diagnosis.ts';
import { nextOf } from '../../src/insight/next.ts';
import { ago, facts } from '../support/insight.ts';

interface Command {
  readonly args: object;
  readonly flags: Readonly<Record<string, { readonly options?: readonly string[] }>>;
}

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url)), 'utf8'),
);
const commands: Readonly<Record<string, Command>> = manifest.commands;

const held = { acquiredAt: ago(30), expiresAt: ago(-30), renewals: 0 };
const both = [true, false] as const;

/** Whatever can come next, in any situation. */
const all = DIAGNOSES.flatMap((name) =>
  (['key', 'job', 'runner_job'] as const).flatMap((kind) =>
    both.flatMap((isAdministered) =>
      both.map((isHere) => {
        const diagnosis = diagnose(facts({ kind, id: 'ID' }, { held: isHere ? held : undefined }));
        const option = kind === 'runner_job' ? 'runner-job' : kind;
        const reach = { isAdministered, profile: 'team', stored: 'team', kind: option, meant: [] };
        return nextOf({ ...diagnosis, name }, reach);
      }),
    ),
  ),
);

test('every next command is one that there is, with its flags', () => {
  const lines = [...new Set(all)].filter((line) => line?.startsWith('leasectl '));
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    const words =
      line
        ?.replace(/'[^']*'/g, 'TEXT')
        .split(' ')
        .slice(1) ?? [];
    const end = words.findIndex((word) => !/^[a-z-]+$/.test(word) || word.startsWith('--'));
    const named = words.slice(0, end < 0 ? words.length : end);
    // A profile's name looks like a command's.
    const length = named.findLastIndex((_, at) => named.slice(0, at + 1).join(':') in commands) + 1;
    const command = commands[named.slice(0, length).join(':')];
    if (!command) throw new Error(`there is no command: ${line}`);
    expect(Object.keys(command.args).length, line).toBeGreaterThanOrEqual(
      words.includes('ID') || named.length > length ? 1 : 0,
    );
    for (const [at, word] of words.entries()) {
      if (!word.startsWith('--')) continue;
      const flag = command.flags[word.slice(2)];
      expect(flag, `${line}: ${word}`).toBeDefined();
      if (flag?.options) expect(flag.options, line).toContain(words[at + 1]);
    }
  }
});
