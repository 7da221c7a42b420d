import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Interfaces } from '@oclif/core';
import { Failure } from './domain/failure.ts';

/** What has to be known of every command before one is run. */
export type Outline = Pick<Cached, 'summary' | 'hidden' | 'strict' | 'args'>;

/** What the build knows of the commands. */
export interface Program {
  /** Their classes by id, each evaluated when it is asked for. */
  readonly COMMANDS: Readonly<Record<string, Command.Class>>;
  readonly OUTLINES: Readonly<Record<string, Outline>>;
}

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

  /** @param root the directory with package.json and the manifest */
  constructor(root: string, program: Program) {
    this.root = root;
    this.program = program;
    this.pjson = this.#read('package.json');
    const { hooks = {}, topics = {} } = this.pjson.oclif;
    this.hooks = Object(
      Object.fromEntries(Object.entries(hooks).map(([event, hook]) => [event, [hook].flat()])),
    );
    this.topics = Object.entries(topics).map(([name, topic]) => ({ ...topic, name }));
    this.commands = Object.entries(program.OUTLINES).map(([id, outline]) =>
      this.#loadable(id, outline),
    );
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
    return Object.keys(this.program.OUTLINES);
  }

  get options(): Interfaces.Options {
    return { root: this.root, isRoot: true };
  }

  async load(): Promise<void> {
    // It is, by now.
  }

  async findCommand(id: string): Promise<Command.Class> {
    const command = this.program.COMMANDS[id];
    if (!command) throw new Failure('internal', `There is no command ${JSON.stringify(id)}.`);
    command.id = id;
    command.plugin = this;
    return command;
  }

  #loadable(id: string, outline: Outline): Command.Loadable {
    const known = {
      id,
      ...outline,
      aliases: [],
      hiddenAliases: [],
      permutations: undefined,
      pluginAlias: this.alias,
      pluginName: this.name,
      pluginType: this.type,
      load: () => this.findCommand(id),
    };
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
