import { Failure } from '../domain/failure.ts';
import { isJsonObject } from '../domain/json.ts';

/** How a command is used, for whoever used it in another way. */
export interface Usage {
  /** As it is typed, e.g. `leasectl jobs claim`. */
  readonly command: string;
  /** Names of its arguments, in their order. */
  readonly args: readonly string[];
  /** Names of its flags. */
  readonly flags: readonly string[];
}

const UNKNOWN: Usage = { command: 'leasectl', args: [], flags: [] };

/**
 * oclif's complaints about a command line, in our words: its own have lists, a pointer to --help on a
 * line of its own, and repeat what was typed, which may be a secret in the wrong place.
 */
export function usageFailure(error: Error, usage: Usage = UNKNOWN): Failure {
  const hint = seeHelp(usage);
  return new Failure('usage', `${complaint(error, usage).replace(/\.$/, '')}.`, {
    hint,
    cause: error,
  });
}

/** Arguments of a command that takes none. */
export function surplus(command: string): Failure {
  const usage = { ...UNKNOWN, command };
  return new Failure('usage', `${tooMany(usage)}.`, { hint: seeHelp(usage) });
}

export function seeHelp({ command }: Usage): string {
  return `See how it is used: ${command} --help`;
}

/** The flags that a command does not have, as they were typed, without their values: those may be secrets. */
export function unknownFlagsIn(error: unknown): string[] {
  // What a short one is glued to is a value, too.
  return listIn(error, 'flags').map((flag) => /^--[^=]*|^-./s.exec(String(flag))?.[0] ?? '');
}

function complaint(error: Error, usage: Usage): string {
  const flags = unknownFlagsIn(error);
  if (flags.length > 0) return `There is no flag ${flags.join(', ')}`;
  const missing = listIn(error, 'args').filter(isJsonObject);
  if (missing.length > 0) {
    return `Missing ${missing.map(({ name }) => String(name).toUpperCase()).join(', ')}`;
  }
  if (listIn(error, 'args').length > 0) return tooMany(usage);
  const [said = ''] = error.message.split(/\n\n|\nSee more help/);
  return said
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(
      /All of the following must be provided when using (--[\w-]+): ([^\n]+)/g,
      '$1 needs $2',
    )
    .replace(/(--[\w-]+)=(?= )/g, '$1')
    .replace(/^Expected .* to be one of: /s, `Expected ${flagOf(error)}to be one of: `)
    .replace(/\n(?=\S|\s+\S)/g, '; ')
    .replace(/(--[\w-]+)=\S+/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The flag that has a value which it cannot have. */
function flagOf(error: Error): string {
  const [flag] = /--[\w-]+(?==)/.exec(error.message) ?? [];
  return flag ? `${flag} ` : '';
}

function tooMany({ command, args }: Usage): string {
  const names = args.map((name) => name.toUpperCase()).join(' and ');
  return `Too many arguments: ${command} takes ${names === '' ? 'none' : `${names}, and no more`}`;
}

function listIn(error: unknown, name: string): unknown[] {
  const value: unknown = Object(error)[name];
  return Array.isArray(value) ? value : [];
}
