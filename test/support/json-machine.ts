import { isJsonObject } from '../../src/domain/json.ts';
import { createSandbox, type RunOptions, type Sandbox } from './sandbox.ts';

/** A sandbox whose commands tell what they print as JSON, however they end. */
export interface Machine extends Sandbox {
  /** What a command prints on stdout; it must print something. */
  answer(line: string, options?: RunOptions): Promise<unknown>;
  /** The lines that a command writes to stderr. */
  events(line: string): Promise<unknown[]>;
}

/** A CI step in a repository, so that all is told of where a lease is taken that can be. */
const STEP = {
  BUILDKITE: 'true',
  BUILDKITE_BUILD_URL: 'https://ci.example.com/builds/1',
  BUILDKITE_LABEL: 'deploy',
  BUILDKITE_BUILD_CREATOR: 'ada',
  BUILDKITE_REPO: 'https://example.com/deploy.git',
  BUILDKITE_COMMIT: 'c'.repeat(40),
};

export function createMachine(): Machine {
  const sandbox = createSandbox();
  const { directory: cwd } = sandbox;
  const run = (line: string, { env, ...options }: RunOptions = {}) =>
    sandbox.run(withJson(line.split(' ')), { cwd, ...options, env: { ...STEP, ...env } });
  return {
    ...sandbox,
    answer: async (line, options) => {
      const { stdout, stderr } = await run(line, options);
      if (stdout === '') throw new Error(`leasectl ${line} printed nothing: ${stderr}`);
      return JSON.parse(stdout);
    },
    events: async (line) => {
      const { stderr } = await run(line);
      const lines = stderr.trim().split('\n');
      return lines.map((text) => JSON.parse(text));
    },
  };
}

function withJson(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const at = end < 0 ? words.length : end;
  return [...words.slice(0, at), '--json', ...words.slice(at)];
}

export type Answers = (machine: Machine) => Promise<readonly unknown[]>;

/** The answers to lines that are run one after the other, of which those count that begin with `*`. */
export function lines(...shown: readonly string[]): Answers {
  return async ({ answer }) => {
    const answers: unknown[] = [];
    for (const line of shown) {
      const value = await answer(line.replace(/^\*/, ''));
      if (line.startsWith('*')) answers.push(value);
    }
    return answers;
  };
}

export const idOf = (answer: unknown): string => {
  const [first] = [answer].flat();
  const { job_id, id } = isJsonObject(first) ? first : {};
  return String(job_id ?? id);
};

export const RUNNER = '--runner-id r';

/** Leases one runner job, and runs each of the lines about it. */
export function aboutRunnerJob(...shown: readonly string[]): Answers {
  return async ({ answer }) => {
    await answer('admin runner-jobs add');
    const job = idOf(await answer(`runner-jobs lease ${RUNNER}`));
    const answers: unknown[] = [];
    for (const line of shown) answers.push(await answer(line.replace('JOB', job)));
    return answers;
  };
}
