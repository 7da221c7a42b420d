import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { parseJson } from '../domain/json.ts';
import type { Answer, Order } from './keyring-worker.ts';

/** An answer, or that none came in time. */
export type Outcome = Answer | { readonly type: 'silent'; readonly seconds: number };

export interface Keyring {
  /** What the system calls it. */
  readonly name: string;
  ask(order: Order): Promise<Outcome>;
}

export interface KeyringOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeout: number;
  /** The built keyring.js. Without it, the one beside the bundle. */
  readonly program: string | undefined;
}

const Reply: z.ZodMiniType<Answer> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('done'), value: z.nullable(z.string()) }),
  z.object({ type: z.enum(['absent', 'refused']), why: z.string() }),
]);

const NAMES: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'Keychain',
  win32: 'Credential Manager',
};

/** What of the environment Node, the message bus and the system's libraries need. */
const NEEDED = [
  'HOME',
  'LD_LIBRARY_PATH',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
];

/** The system's keyring. Every question starts a process: see keyring-worker.ts. */
export function createKeyring(options: KeyringOptions): Keyring {
  const { env, platform } = options;
  return {
    name: NAMES[platform] ?? 'Secret Service',
    ask: async (order) => {
      if (NAMES[platform] || hasMessageBus(env)) return askProcess(order, options);
      const why = 'there is no D-Bus session bus, as over ssh, in a container and with sudo';
      return { type: 'absent', why };
    },
  };
}

/** Where there is none, there is no keyring: then not even the process is started. */
function hasMessageBus(env: KeyringOptions['env']): boolean {
  if (env['DBUS_SESSION_BUS_ADDRESS']) return true;
  const directory = env['XDG_RUNTIME_DIR'];
  return Boolean(directory && existsSync(join(directory, 'bus')));
}

function askProcess(order: Order, { env, timeout, program }: KeyringOptions): Promise<Outcome> {
  const child = spawn(process.execPath, [program ?? join(dirname(__filename), 'keyring.js')], {
    cwd: '/',
    env: Object.fromEntries(NEEDED.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  });
  return new Promise((resolve) => {
    const settle = (outcome: Outcome) => {
      clearTimeout(timer);
      abandon(child);
      resolve(outcome);
    };
    const refused = (why: string) => settle({ type: 'refused', why });
    const timer = setTimeout(() => settle({ type: 'silent', seconds: timeout / 1_000 }), timeout);
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (part: string) => {
      text += part;
      if (!text.endsWith('\n')) return;
      const reply = Reply.safeParse(parseJson(text));
      if (reply.success) settle(reply.data);
      else refused('its process said something else');
    });
    child.on('error', (error) => refused(`its process does not start: ${error.message}`));
    child.on('close', (code, signal) => refused(`its process ended with ${signal ?? code}`));
    // That it died is told by its end.
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${JSON.stringify(order)}\n`);
  });
}

/** Whatever it is at: this process is to end without it. */
function abandon(child: ChildProcess): void {
  child.kill('SIGKILL');
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.unref();
}
