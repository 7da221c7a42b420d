import type { Command } from '@oclif/core';
import { CommandHelp, Help } from '@oclif/core/help';
import { unknownCommand } from './unknown-words.ts';

/** oclif's help, whose first line says only what has to be given: the flags are listed below it. */
class ShortCommandHelp extends CommandHelp {
  protected override defaultUsage(): string {
    const { id, args, flags } = this.command;
    const needed = Object.values(flags).filter(({ required, hidden }) => required && !hidden);
    const words = [...Object.values(args).map((arg) => this.arg(arg)), ...needed.map(flagWord)];
    return [id, ...words, '[flags]'].join(' ');
  }
}

export class ShortHelp extends Help {
  protected override CommandHelpClass = ShortCommandHelp;

  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv);
    } catch (error) {
      // The only complaint that oclif has here.
      if (!(error instanceof Error && 'oclif' in error)) throw error;
      const end = argv.findIndex((word) => word.startsWith('-'));
      const words = argv.slice(0, end < 0 ? undefined : end).filter((word) => word !== 'help');
      throw await unknownCommand(words, this.config);
    }
  }
}

function flagWord(flag: Command.Flag.Cached): string {
  if (flag.type === 'boolean') return `--${flag.name}`;
  return `--${flag.name} ${flag.options?.join('|') ?? flag.helpValue ?? flag.name.toUpperCase()}`;
}
