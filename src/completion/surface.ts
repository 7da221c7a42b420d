import * as z from 'zod/mini';

/** What can stand in a place of the command line, as its declaration says. */
export const COMPLETES = [
  /** A key of the ledger, or the id of a job; `held`: rather one whose lease has not run out. */
  'key',
  'held-key',
  'job',
  'held-job',
  'runner-job',
  'held-runner-job',
  /** A key, or the id of a job, as `--kind` says. */
  'lease',
  /** A profile of the command's service, or `local`. */
  'profile',
  /** A profile that has a file. */
  'stored-profile',
  /** The words of a command of leasectl's, one after the other; or all of them in one. */
  'command',
  'command-name',
  'method',
  'file',
] as const;
export type Completes = (typeof COMPLETES)[number];

const Words = z.optional(z.array(z.string()));

/** What a value can be: that of an argument, or of a flag. */
const value = {
  completes: z.optional(z.enum(COMPLETES)),
  options: Words,
  /** What can be in it, separated by commas. */
  lists: Words,
};

const Flag = z.object({
  ...value,
  name: z.string(),
  type: z.enum(['boolean', 'option']),
  char: z.optional(z.string()),
  summary: z.optional(z.string()),
  description: z.optional(z.string()),
  hidden: z.optional(z.boolean()),
  multiple: z.optional(z.boolean()),
  allowNo: z.optional(z.boolean()),
  exclusive: Words,
  helpValue: z.optional(z.union([z.string(), z.array(z.string())])),
});
export type Flag = z.infer<typeof Flag>;

/** A command as `oclif.manifest.json` has it. */
const Command = z.object({
  args: z.record(z.string(), z.object(value)),
  flags: z.record(z.string(), Flag),
  /** The service that it asks; `any`, or `embedded` for the profile `local` only. */
  service: z.optional(z.string()),
  /** Whether a command of the user's follows `--`. */
  runsCommand: z.optional(z.boolean()),
});
export type Command = z.infer<typeof Command>;
export type Value = Pick<Flag, 'completes' | 'options' | 'lists'> & Partial<Flag>;

const Manifest = z.object({
  commands: z.record(
    z.string(),
    z.looseObject({ summary: z.optional(z.string()), hidden: z.optional(z.boolean()) }),
  ),
});

const Topics = z.record(z.string(), z.object({ description: z.string() }));
const Package = z.object({ oclif: z.object({ topics: Topics }) });

/** A command or a topic that can be typed. */
export interface Entry {
  /** Its words. */
  readonly path: readonly string[];
  readonly summary: string | undefined;
}

/** What leasectl understands. */
export interface Surface {
  readonly entries: readonly Entry[];
  /** @returns undefined where the words are no command */
  command(path: readonly string[]): Command | undefined;
}

/**
 * @param manifest the content of `oclif.manifest.json`
 * @param packageJson that of `package.json`, which describes the topics
 * @throws an error when they are not what they should be
 */
export function readSurface(manifest: unknown, packageJson: unknown): Surface {
  const { commands } = Manifest.parse(manifest);
  const { topics } = Package.parse(packageJson).oclif;
  const shown = Object.entries(commands).filter(([, { hidden }]) => !hidden);
  return {
    entries: [
      ...shown.map(([id, { summary }]) => ({ path: id.split(':'), summary })),
      ...Object.entries(topics).map(([id, { description }]) => ({
        path: id.split(' '),
        summary: description,
      })),
    ],
    command: (path) => {
      const id = path.join(':');
      // Looked at as a whole only when it is asked for: each one takes time.
      return Object.hasOwn(commands, id) ? Command.parse(commands[id]) : undefined;
    },
  };
}
