import { execFile } from 'node:child_process';
import { isIP } from 'node:net';
import * as z from 'zod/mini';
import { parseJson } from '../domain/json.ts';
import type { Environment } from '../profiles/resolve.ts';

const Address = z.object({ address: z.string(), family: z.number() });
const Reply = z.union([
  z.object({ addresses: z.array(Address), took: z.number() }),
  z.object({ code: z.string() }),
]);

/** Where a name leads, and how many milliseconds it took to learn that; or the system's code. */
export type Lookup =
  | { readonly addresses: readonly z.infer<typeof Address>[]; readonly took: number }
  | { readonly code: string };

export interface LookupOptions {
  readonly env: Environment;
  /** Milliseconds. */
  readonly timeout: number;
  /** A piece of JavaScript that looks the name up and prints a reply. */
  readonly program?: string;
}

/**
 * Looks a name up as every request does, but in a process of its own: the system's resolver cannot be
 * interrupted, and a process that has called it does not end before it has answered.
 *
 * @returns the code ETIMEDOUT when that takes too long
 */
export async function lookUp(
  host: string,
  { env, timeout, program = lookupProgram(host) }: LookupOptions,
): Promise<Lookup> {
  const family = isIP(host);
  if (family !== 0) return { addresses: [{ address: host, family }], took: 0 };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-e', program],
      { cwd: '/', env: { ...env }, timeout, killSignal: 'SIGKILL', windowsHide: true },
      (error, stdout) => {
        const reply = Reply.safeParse(parseJson(stdout));
        if (reply.success) resolve(reply.data);
        else resolve({ code: error?.killed ? 'ETIMEDOUT' : String(error?.code ?? 'EIO') });
      },
    );
  });
}

function lookupProgram(host: string): string {
  return `const begun = performance.now();
    require('node:dns').lookup(${JSON.stringify(host)}, { all: true }, (error, addresses) => {
      const took = performance.now() - begun;
      console.log(JSON.stringify(error ? { code: String(error.code) } : { addresses, took }));
    });`;
}
