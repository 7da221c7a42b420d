import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { LEAVE } from './live-screen.ts';

/*
 * A shell that waits, in a session of its own, to bring a terminal back where its process cannot: when
 * that was killed. It learns of that by the end of its stdin, and is as quick as to be before the one
 * who reads the terminal next. Who changed the modes meanwhile is that one already: they stay.
 */
const WAIT = `
saved=$(stty -g <&3 2>/dev/null)
echo ready >&4
while read -r order; do
  case $order in
    entered) raw=$(stty -g <&3 2>/dev/null) on=1 ;;
    left) on= ;;
    done) exit ;;
  esac
done
[ "$on" ] || exit
printf '%s' "$1"
[ "$raw" ] && [ "$(stty -g <&3 2>/dev/null)" = "$raw" ] && stty "$saved" <&3 2>/dev/null
`;

export interface ScreenGuard {
  /** The screen is there, and the keys are raw; or not any more. */
  entered(): void;
  left(): void;
  /** Nothing is left to be guarded. */
  release(): void;
}

/** A terminal is taken without it, where it cannot be had within so many milliseconds. */
const PATIENCE = 1_000;

/**
 * Starts guarding this process's terminal: its stdin and stdout, before anything of it is changed.
 *
 * @param path where stty may be, besides where it usually is
 */
export async function guardScreen(path: string): Promise<ScreenGuard> {
  const child = spawn('/bin/sh', ['-c', WAIT, 'sh', LEAVE], {
    cwd: '/',
    detached: true,
    // Nothing of ours is its business, but where stty is.
    env: { PATH: `/usr/bin:/bin:${path}` },
    stdio: ['pipe', 1, 'ignore', 0, 'pipe'],
  });
  const { stdin } = child;
  stdin?.on('error', () => undefined);
  child.unref();
  const ready = child.stdio[4];
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE);
    const go = () => {
      clearTimeout(timer);
      resolve();
    };
    child.once('error', go);
    child.once('exit', go);
    if (isReadable(ready)) ready.once('data', go);
  });
  if (isReadable(ready)) ready.destroy();
  const tell = (order: string) => {
    if (stdin?.writable) stdin.write(`${order}\n`);
  };
  return { entered: () => tell('entered'), left: () => tell('left'), release: () => tell('done') };
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'once' in stream;
}
