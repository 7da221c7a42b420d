// What a process has taken of the machine, as Linux' /proc tells it.
import { existsSync, readFileSync } from 'node:fs';

export const HAS_PROC = existsSync('/proc/self/stat');

/** Kernel's ticks in a second, as programs are told them. */
const TICKS = 100;

/** Seconds that a process has computed so far, in itself and in the kernel. */
export function computed(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/**
 * MiB that a process has of the memory: `settled` now and `peak` at most so far, each with all pages that it
 * shares with others; `share` with no more than its part of those.
 */
export function memory(pid) {
  const of = (file, field) => {
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(file) ?? [];
    return Number(kilobytes) / 1024;
  };
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mapped = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return { settled: of(status, 'VmRSS'), peak: of(status, 'VmHWM'), share: of(mapped, 'Pss') };
}

/** The processes that a process has started, and that live. */
export function childrenOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** The words that a process was started with. */
export function wordsOf(pid) {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}
