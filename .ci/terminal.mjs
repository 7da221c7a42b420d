// A person's bash on a terminal of its own, which tells where a command's output begins and ends.
import { spawn } from '@lydell/node-pty';

/** Stand in the prompts, and in nothing that a command prints. */
const MARK = '\u001e';
const PROMPT = new RegExp(`${MARK}(\\d+)(\\$|>)${MARK}$`);
/** A control sequence, a return to the line's begin, or text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const PART = /\r|\u001b\[([\d;?]*)([A-Za-z])|[^\r\u001b]+/g;
/** How long a command may take, in milliseconds. */
const PATIENCE = 60_000;

/**
 * Opens one. It echoes nothing: what it shows is what the commands print.
 *
 * @param columns width of the terminal
 */
export async function openTerminal({ columns, cwd, env }) {
  const bash = spawn('bash', ['--norc', '--noprofile', '--noediting', '-i'], {
    name: 'xterm-256color',
    cols: columns,
    rows: 40,
    cwd,
    env: { ...env, PS1: `${MARK}$?$${MARK}`, PS2: `${MARK}0>${MARK}`, HISTFILE: '' },
  });
  let shown = '';
  let seen = () => undefined;
  bash.onData((data) => {
    shown += data;
    seen();
  });
  bash.onExit(() => seen('bash has ended'));

  /** Waits for a prompt, and gives what was shown before it. */
  const prompted = () =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => seen(`no prompt within ${PATIENCE} ms`), PATIENCE);
      seen = (problem) => {
        const prompt = PROMPT.exec(shown);
        if (!prompt && !problem) return;
        clearTimeout(late);
        seen = () => undefined;
        if (!prompt) reject(new Error(`${problem}; it showed ${JSON.stringify(shown)}`));
        const output = linesOf(shown.slice(0, prompt?.index));
        shown = '';
        resolve({ output, code: Number(prompt?.[1]), isOpen: prompt?.[2] === '>' });
      };
      seen();
    });
  const run = (line) => {
    bash.write(`${line}\n`);
    return prompted();
  };

  await prompted();
  await run('stty -echo; set +H');
  return {
    /**
     * Types a line, and waits until bash asks for the next.
     *
     * @returns what was shown, line by line; the exit code; whether the line goes on (a heredoc)
     */
    run,
    close: () => bash.kill('SIGKILL'),
  };
}

/** What stays on the screen, without colors, line by line. */
function linesOf(shown) {
  const lines = shown.split('\n').map(screenLine);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A line after all that was written over it: as much of a terminal as a status line needs. */
function screenLine(sent) {
  let line = '';
  let column = 0;
  for (const [part, argument, action] of sent.matchAll(PART)) {
    if (part === '\r') column = 0;
    else if (action === 'G') column = Number(argument || 1) - 1;
    else if (action === 'K') line = argument === '2' ? '' : line.slice(0, column);
    else if (action === undefined) {
      line = line.slice(0, column).padEnd(column) + part + line.slice(column + part.length);
      column += part.length;
    }
  }
  return line.trimEnd();
}
