import { option } from '@oclif/core/args';
import { type Answer, BaseCommand } from '../base-command.ts';
import { SHELLS } from '../completion/answer.ts';
import { scriptOf } from '../completion/script.ts';

export default class Completion extends BaseCommand {
  static override readonly summary = 'Print what makes a shell complete commands, flags and values';
  static override readonly description = [
    'One line switches it on. In ~/.bashrc: eval "$(leasectl completion bash)". In ~/.zshrc:',
    'source <(leasectl completion zsh). For fish: leasectl completion fish >',
    '~/.config/fish/completions/leasectl.fish, in a directory that has to be there. Then TAB',
    'knows profiles too, and the keys and jobs that this machine holds. It asks no service.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> completion bash',
    '<%= config.bin %> completion zsh',
    '<%= config.bin %> completion fish',
  ];
  static override readonly args = {
    shell: option({
      description: 'Shell to make it for',
      options: SHELLS,
      ignoreStdin: true,
    })({ required: true }),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(Completion);
    const script = scriptOf(args.shell);
    return { data: { shell: args.shell, script }, text: () => script };
  }
}
