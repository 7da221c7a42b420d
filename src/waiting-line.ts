import type { Redactor } from './domain/redactor.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visible } from './terminal/visible.ts';

/** Says on stderr what is waited for, once that takes long. */
export interface WaitingLine {
  /** On a terminal in the place of what was said before; elsewhere only the first time. */
  show(message: string): void;
  /** The wait is over. */
  clear(): void;
}

/** What nobody wants to hear of, in milliseconds. */
const SHORT_WAIT = 2_000;

/** @param write writes a line where there is no terminal */
export function createWaitingLine(
  terminal: Terminal,
  redactor: Redactor,
  write = (line: string) => terminal.writeError(line),
): WaitingLine {
  const isInPlace = terminal.isInteractive('stderr');
  let message = '';
  let timer: NodeJS.Timeout | undefined;
  let isShown = false;
  const tell = () => {
    if (isInPlace) terminal.showStatus(message);
    else if (!isShown) write(message);
    isShown = true;
  };
  return {
    show: (text) => {
      message = redactor.clean(visible(text));
      timer ??= setTimeout(tell, SHORT_WAIT);
      if (isShown) tell();
    },
    clear: () => {
      clearTimeout(timer);
      if (isShown && isInPlace) terminal.showStatus('');
    },
  };
}

export const NO_WAITING_LINE: WaitingLine = { show: () => undefined, clear: () => undefined };
