import { BaseCommand } from '../../src/base-command.ts';

/*
 * Stands in the place of src/commands/capabilities.ts in a build that fails when it releases what it
 * has opened: a secret is in the words.
 */

export default class FailingEnd extends BaseCommand {
  protected async execute(): Promise<number> {
    const secret = this.context.redactor.add('canary-secret');
    this.context.onClose(() => {
      throw new Error(`the end of ${secret}`, { cause: new Error(`because of ${secret}`) });
    });
    return 0;
  }
}
