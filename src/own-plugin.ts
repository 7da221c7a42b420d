import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Interfaces } from '@oclif/core';
import { Failure } from './domain/failure.ts';

/** What has to be known of every command before one is run. */
export type Outline = Pick<Cached, 'summary' | 'hidden' | 'strict' | 'args'>;

/** What the build knows of the commands. */
export interface Program {
  /** The class of a command, which is evaluated when it is asked for first. */
  readonly command: (id: string) => CommandClass;
  /** By the ids of all commands. */
  readonly OUTLINES: Readonly<Record<string, Outline>>;
}

/** A command; one that looks at the list of all of them says so. */
export type CommandClass = Command.Class & { readonly tellsOfOthers?: boolean };

type Cached = Omit<Command.Loadable, 'load'>;

/**
 * leasectl as a plugin, which to oclif every program is. oclif's own would read the manifest, which is
 * most of what a short command does: this one reads it when help, or another list, is asked for.
 */
export class OwnPlugin implements Interfaces.Plugin {
  readonly _base = 'leasectl';
  readonly isRoot = true;
  readonly hasManifest = true;
  readonly moduleType = 'commonjs';
  readonly type = 'core';
  readonly valid = true;
  readonly commandsDir = undefined;
  readonly root: string;
  readonly pjson: Interfaces.PJSON;
  readonly hooks: Interfaces.Plugin['hooks'];
  readonly commands: Command.Loadable[];
  readonly topics: Interfaces.Topic[];
  /** Has the hooks, and the class of the help, by the names that package.json has for them. */
  readonly program: Program;
  #manifest: Readonly<Record<string, Cached>> | undefined;

  /**
   * @param root the directory with package.json and the manifest
   * @param command the one that is run; `help` or `version` where it is none
   */
  constructor(root: string, program: Program, command: string) {
    this.root = root;
    this.program = program;
    this.pjson = this.#read('package.json');
    const { hooks = {}, topics = {} } = this.pjson.oclif;
    this.hooks = Object(
      Object.fromEntries(Object.entries(hooks).map(([event, hook]) => [event, [hook].flat()])),
    );
    this.topics = Object.entries(topics).map(([name, topic]) => ({ ...topic, name }));
    this.commands = this.#needed(command);
  }

  get name(): string {
    return this.pjson.name;
  }

  get alias(): string {
    return this.pjson.name;
  }

  get version(): string {
    return this.pjson.version;
  }

  get commandIDs(): string[] {
    return this.commands.map(({ id }) => id);
  }

  get options(): Interfaces.Options {
    return { root: this.root, isRoot: true };
  }

  async load(): Promise<void> {
    // It is, by now.
  }

  async findCommand(id: string): Promise<Command.Class> {
    const command = this.program.command(id);
    command.id = id;
    command.plugin = this;
    return command;
  }

  /** To make all of them known takes longer than many a command does. */
  #needed(id: string): Command.Loadable[] {
    if (id === 'version') return [];
    const own = id === 'help' ? undefined : this.program.command(id);
    if (own && !own.tellsOfOthers) return [this.#loadable(id, own)];
    return Object.entries(this.program.OUTLINES).map((entry) => this.#listed(...entry));
  }

  #loadable(id: string, { summary, hidden, strict, args }: Partial<Outline>): Command.Loadable {
    return Object({
      ...{ id, summary, hidden, strict, args },
      aliases: [],
      hiddenAliases: [],
      permutations: undefined,
      pluginAlias: this.alias,
      pluginName: this.name,
      pluginType: this.type,
      load: () => this.findCommand(id),
    });
  }

  /** With all that help tells, which is read when it is asked for. */
  #listed(id: string, outline: Outline): Command.Loadable {
    const known = this.#loadable(id, outline);
    const whole = () => {
      this.#manifest ??= this.#read<{ commands: Record<string, Cached> }>(
        'oclif.manifest.json',
      ).commands;
      return { ...this.#manifest[id], ...known };
    };
    return Object(
      new Proxy(known, {
        get: (target, name) => Reflect.get(name in target ? target : whole(), name),
        // Else it would be looked up first.
        set: (target, name, value) => Reflect.set(target, name, value),
        has: (_, name) => name in whole(),
        ownKeys: () => Reflect.ownKeys(whole()),
        getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(whole(), name),
      }),
    );
  }

  #read<T>(file: string): T {
    try {
      return JSON.parse(readFileSync(join(this.root, file), 'utf8'));
    } catch (cause) {
      const hint = 'Install leasectl again.';
      throw new Failure('internal', `${join(this.root, file)} is damaged.`, { hint, cause });
    }
  }
}
