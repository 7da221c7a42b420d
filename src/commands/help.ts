import { Command } from '@oclif/core/command';
import { loadHelpClass } from '@oclif/core/help';
import { optional } from '../positional.ts';

export default class HelpCommand extends Command {
  static override readonly summary = 'Show how leasectl, or one of its commands, is used';
  static override readonly strict = false;
  static override readonly args = { command: optional('Command to explain', 'command') };
  static override readonly examples = ['<%= config.bin %> help lease'];
  static override readonly usage = 'help [COMMAND]';

  async run(): Promise<void> {
    const { argv } = await this.parse(HelpCommand);
    const Help = await loadHelpClass(this.config);
    await new Help(this.config, this.config.pjson.oclif.helpOptions).showHelp(argv.map(String));
  }
}
