import { visible } from './visible.ts';

/** Questions to a person at a terminal. They are asked on stderr: stdout is data. */
export interface Prompts {
  choose<T extends string>(
    question: string,
    choices: readonly { readonly value: T; readonly name: string }[],
    usual?: T,
  ): Promise<T>;
  /** @param check a sentence that says what is wrong with an answer; undefined when nothing is */
  text(
    question: string,
    usual: string | undefined,
    check: (answer: string) => string | undefined,
  ): Promise<string>;
  /** What is typed is not shown. */
  secret(question: string, check: (answer: string) => string | undefined): Promise<string>;
  confirm(question: string, usual: boolean): Promise<boolean>;
}

/** Ctrl-C ends the process by SIGINT itself, so that a script stops, too. */
export async function createPrompts(host: NodeJS.Process): Promise<Prompts> {
  const { confirm, input, password, select } = await import('@inquirer/prompts');
  const streams = { input: host.stdin, output: host.stderr };
  const answered = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
      host.kill(host.pid, 'SIGINT');
      return new Promise(() => undefined);
    }
  };
  const checked = (check: (answer: string) => string | undefined) => (answer: string) =>
    check(answer.trim()) ?? true;
  return {
    choose: (message, choices, usual) =>
      answered(
        select({ message, choices: [...choices], ...(usual ? { default: usual } : {}) }, streams),
      ),
    text: async (message, usual, check) => {
      const shown = usual === undefined ? {} : { default: visible(usual) };
      const answer = await answered(
        input({ message, ...shown, validate: checked(check) }, streams),
      );
      return answer.trim();
    },
    secret: async (message, check) => {
      const answer = await answered(password({ message, validate: checked(check) }, streams));
      return answer.trim();
    },
    confirm: (message, usual) => answered(confirm({ message, default: usual }, streams)),
  };
}
