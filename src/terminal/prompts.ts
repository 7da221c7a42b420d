import { setTimeout as delay } from 'node:timers/promises';
import { visible } from './visible.ts';

interface Choice<T extends string> {
  readonly value: T;
  readonly name: string;
  /** What is shown of it when it was chosen; its name. */
  readonly short?: string | undefined;
}

/** Questions to a person at a terminal. They are asked on stderr: stdout is data. */
export interface Prompts {
  choose<T extends string>(question: string, choices: readonly Choice<T>[], usual?: T): Promise<T>;
  /** @param check a sentence that says what is wrong with an answer; undefined when nothing is */
  text(question: string, usual: string | undefined, check: Check): Promise<string>;
  /** What is typed is not shown. */
  secret(question: string, check: Check): Promise<string>;
  confirm(question: string, usual: boolean): Promise<boolean>;
}

type Check = (answer: string) => string | undefined;

/** How long nothing has to come after a secret, in milliseconds, for it to have been all of it. */
const END_OF_PASTE = 50;

/** Ctrl-C and Ctrl-D end the process by SIGINT itself, so that a script stops, too. */
export async function createPrompts(host: NodeJS.Process): Promise<Prompts> {
  const { confirm, input, password, select } = await import('@inquirer/prompts');
  const ask = <T>(question: (context: Context) => Promise<T>) => answered(host, question);
  const checked = (check: Check) => (answer: string) => {
    const problem = check(answer.trim());
    return problem === undefined ? true : visible(problem);
  };
  const askSecret = async (message: string, check: Check): Promise<string> => {
    const typed = watchTyped(host.stdin);
    const validate = (answer: string) => {
      typed.mark();
      return checked(check)(answer);
    };
    const answer = await ask((context) => password({ message, validate }, context));
    if ((await typed.rest()).trim() === '') return answer.trim();
    // Half of it is not what was meant, and the other half must not be an answer to what follows.
    host.stderr.write('That was more than one line. Give it again, in one.\n');
    return askSecret(message, check);
  };
  return {
    choose: (message, choices, usual) => {
      const shown = choices.map(({ short, ...choice }) => ({
        ...choice,
        short: short ?? choice.name,
      }));
      const config = { message, choices: shown, ...(usual ? { default: usual } : {}) };
      return ask((context) => select(config, context));
    },
    text: async (message, usual, check) => {
      const shown = usual === undefined ? {} : { default: visible(usual) };
      const answer = await ask((context) =>
        input({ message, ...shown, validate: checked(check) }, context),
      );
      return answer.trim();
    },
    secret: askSecret,
    confirm: (message, usual) => ask((context) => confirm({ message, default: usual }, context)),
  };
}

interface Context {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** The errors of a question that was left, as the library names them. */
const LEFT = new Set(['ExitPromptError', 'AbortPromptError']);

async function answered<T>(
  host: NodeJS.Process,
  question: (context: Context) => Promise<T>,
): Promise<T> {
  const { stdin, stderr } = host;
  const left = new AbortController();
  let isBack = false;
  // After Ctrl-Z and fg: the library pauses stdin, and expects others to go on.
  const comeBack = () => {
    isBack = true;
    setImmediate(() => {
      isBack = false;
      stdin.resume();
    });
  };
  // With Ctrl-D it stops reading, and says nothing. After an answer this changes nothing.
  const leave = () => {
    if (!isBack) left.abort();
  };
  host.on('SIGCONT', comeBack);
  stdin.on('pause', leave);
  try {
    return await question({ input: stdin, output: stderr, signal: left.signal });
  } catch (error) {
    if (!(error instanceof Error) || !LEFT.has(error.name)) throw error;
    host.kill(host.pid, 'SIGINT');
    return new Promise(() => undefined);
  } finally {
    host.off('SIGCONT', comeBack);
    stdin.off('pause', leave);
  }
}

/** Watches what comes beside a question, to find what follows its answer. */
function watchTyped(stdin: NodeJS.ReadStream) {
  let last = '';
  let rest = '';
  const take = (part: Buffer | string) => {
    last = part.toString();
    rest += last;
  };
  // Before the library, which takes an answer while it is told of its last part.
  stdin.prependListener('data', take);
  return {
    /** The answer is taken: of the part that it ended in the rest is too much. */
    mark: () => {
      rest = last.replace(/^[^\r\n]*(\r\n|\r|\n)?/, '');
    },
    /** What came after it, and is taken away: the shell would take it for a command. */
    rest: async () => {
      stdin.setRawMode(true);
      stdin.resume();
      let seen: string;
      do {
        seen = rest;
        await delay(END_OF_PASTE);
      } while (rest !== seen);
      stdin.pause();
      stdin.setRawMode(false);
      stdin.off('data', take);
      return rest;
    },
  };
}
