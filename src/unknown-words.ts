import type { Interfaces } from '@oclif/core';
import { Failure } from './domain/failure.ts';
import { asQuestion, nearest, nearestCommands, sentences } from './domain/nearest.ts';

/** What of oclif's configuration tells the commands that there are. */
export type Commands = Pick<Interfaces.Config, 'commands' | 'topics'>;

/** @param words what was typed as a command, maybe with arguments at the end */
export async function unknownCommand(
  words: readonly string[],
  { commands, topics }: Commands,
): Promise<Failure> {
  const typed = (id: string) => id.replaceAll(':', ' ');
  const known = commands.filter(({ hidden }) => !hidden).map(({ id }) => typed(id));
  const groups = topics.map(({ name }) => typed(name));
  const near = await nearestCommands(words, known);
  const topic = groups
    .filter((group) => `${words.join(' ')} `.startsWith(`${group} `))
    .reduce((longest, group) => (group.length > longest.length ? group : longest), '');
  // To name the topic that was typed would be no help.
  const meant = near.length > 0 || topic ? near : await nearestCommands(words, groups);
  const help = topic ? `leasectl ${topic} --help` : 'leasectl --help';
  return new Failure('usage', `There is no command ${JSON.stringify(words.join(' '))}.`, {
    hint: sentences(asQuestion(meant), `See those there are: ${help}`),
  });
}

/**
 * @param typed flags that the command does not have, without their values: those may be secrets
 * @param flags names of those that it has
 */
export async function unknownFlags(
  typed: readonly string[],
  flags: readonly string[],
  cause: unknown,
): Promise<Failure> {
  const known = flags.map((name) => `--${name}`);
  const meant = await Promise.all(typed.map((flag) => nearest(flag, known)));
  return new Failure('usage', `There is no flag ${typed.join(', ')}.`, {
    hint: sentences(asQuestion([...new Set(meant.flat())]), 'See --help for how it is used.'),
    cause,
  });
}
