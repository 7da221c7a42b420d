import type { Interfaces } from '@oclif/core';
import { Failure } from './domain/failure.ts';
import { asQuestion, nearestCommands, sentences } from './domain/nearest.ts';
import { surplus } from './output/usage.ts';

/** What of oclif's configuration tells the commands that there are. */
export type Commands = Pick<Interfaces.Config, 'commands' | 'topics'>;

/** What other tools call what is called otherwise here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  acquire: 'lease',
  auth: 'profile add',
  config: 'profile list',
  get: 'status',
  login: 'profile add',
  release: 'cancel',
  renew: 'extend',
  revoke: 'cancel',
  unlock: 'cancel',
};

/** What a command looks like: anything else may be a secret in the wrong place. */
const WORD = /^[a-z-]{1,32}$/i;

/** @param words what was typed as a command, maybe with arguments at the end: those are not said again */
export async function unknownCommand(
  words: readonly string[],
  { commands, topics }: Commands,
): Promise<Failure> {
  const typed = (id: string) => id.replaceAll(':', ' ');
  // oclif takes what follows a command that has no arguments for more of its name.
  const bare = commands.find(
    ({ id, args }) =>
      Object.keys(args).length === 0 && `${words.join(' ')} `.startsWith(`${typed(id)} `),
  );
  if (bare) return surplus(`leasectl ${typed(bare.id)}`);
  const known = commands.filter(({ hidden }) => !hidden).map(({ id }) => typed(id));
  const groups = topics.map(({ name }) => typed(name));
  const other = ELSEWHERE[words[0] ?? ''];
  const near = other === undefined ? await nearestCommands(words, known) : [other];
  const topic = groups
    .filter((group) => `${words.join(' ')} `.startsWith(`${group} `))
    .reduce((longest, group) => (group.length > longest.length ? group : longest), '');
  // To name the topic that was typed would be no help.
  const meant = near.length > 0 || topic ? near : await nearestCommands(words, groups);
  const help = topic ? `leasectl ${topic} --help` : 'leasectl --help';
  const first = words.slice(0, topic.split(' ').filter(Boolean).length + 1);
  const isWord = first.every((word) => WORD.test(word));
  const what = isWord ? `There is no command ${JSON.stringify(first.join(' '))}.` : UNNAMED;
  return new Failure('usage', what, {
    hint: sentences(asQuestion(meant), `See those there are: ${help}`),
  });
}

const UNNAMED = 'There is no such command.';
