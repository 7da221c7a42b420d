import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as z from 'zod/mini';
import { CANARY } from './hosted-answers.ts';
import { addProfile, createSandbox, type RunOptions, type Sandbox } from './sandbox.ts';

/** The shape that programs rely on. */
const Report = z.strictObject({
  checks: z.array(
    z.strictObject({
      name: z.string(),
      subject: z.nullable(z.string()),
      status: z.enum(['ok', 'warn', 'fail']),
      detail: z.string(),
      mend: z.nullable(z.string()),
      took_ms: z.optional(z.number()),
      round_trip_ms: z.optional(z.number()),
      skew_ms: z.optional(z.number()),
      skew_resolution_ms: z.optional(z.number()),
      expires_at: z.optional(z.iso.datetime()),
    }),
  ),
  ok: z.boolean(),
});
export type Check = z.infer<typeof Report>['checks'][number];

export interface Examination {
  readonly code: number | null;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** All that is not ok. */
  readonly wrong: readonly Check[];
  /** Those of a name, of one subject or of all. */
  of(name: string, subject?: string): readonly Check[];
  readonly output: string;
}

/** Runs `doctor --json`, which ends with 1 exactly if a check fails. */
export async function examine(
  sandbox: Sandbox,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Examination> {
  const { code, stdout, stderr } = await sandbox.run(['doctor', '--json', ...args], options);
  if (stdout === '') throw new Error(`doctor ended with ${code}: ${stderr}`);
  const { checks, ok } = Report.parse(JSON.parse(stdout));
  const hasFailed = checks.some(({ status }) => status === 'fail');
  // Node's own warnings about the environment are none of ours.
  const said = stderr.replaceAll(/^(Warning: Ignoring extra certs|\(node:|\(Use `node).*\n/gm, '');
  if (ok === hasFailed || code !== (hasFailed ? 1 : 0) || said !== '') {
    throw new Error(`doctor ended with ${code}, ok ${ok}: ${stdout}${stderr}`);
  }
  return {
    code,
    ok,
    checks,
    wrong: checks.filter(({ status }) => status !== 'ok'),
    of: (name, subject) =>
      checks.filter((check) => check.name === name && (subject ?? check.subject) === check.subject),
    output: stdout,
  };
}

/** Every file and directory of a sandbox, with its mode and what is in it. */
export function snapshot({ directory }: Sandbox): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .sort()
    .map((path) => {
      const stats = statSync(path);
      const content = stats.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : 'directory';
      return [relative(directory, path), stats.mode.toString(8), content].join(' ');
    });
}

/** A machine on which leasectl has been used, and nothing is wrong. */
export async function usedMachine(): Promise<Sandbox> {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'k']);
  await addProfile(sandbox, 'prod', 'https://prod.example.com', CANARY);
  return sandbox;
}

export const profileFile = ({ configDirectory }: Sandbox, name: string) =>
  join(configDirectory, 'profiles', `${name}.json`);
