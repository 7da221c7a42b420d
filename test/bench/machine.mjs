// Where something was measured: no figure says anything without it.
import { readFileSync, realpathSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';

export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    kernel: `${type()} ${release()} ${arch()}`,
    fileSystem: fileSystemOf(realpathSync(tmpdir())),
    node: process.version,
  };
}

/** Of the directory that the benchmarks work in. */
function fileSystemOf(directory) {
  let mounts;
  try {
    mounts = readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return 'unknown';
  }
  const above = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, at]) => at !== undefined && `${directory}/`.startsWith(at === '/' ? at : `${at}/`));
  return above.sort(([, one], [, other]) => one.length - other.length).at(-1)?.[2] ?? 'unknown';
}
