import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What is on the machine, and in it. */
export function filesOf(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files.map((file) => {
      const path = join(directory, file);
      if (statSync(path).isDirectory()) return [file, 'directory'];
      return [file, createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}
