import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './sandbox.ts';

/*
 * A D-Bus session of a test's own, with a real GNOME keyring on it.
 */

export interface MessageBus {
  /** What leads there. */
  readonly env: Readonly<Record<string, string>>;
  readonly daemon: ChildProcess;
  readonly keyring: ChildProcess;
}

const isInstalled = ['dbus-daemon', 'gnome-keyring-daemon'].every((program) => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** Whether the tests of the keyring can be left out. CI has to have one. */
export const canSkipKeyring = !isInstalled && process.env['CI'] !== 'true';

/** A service that waits to be asked for a password, and never answers. */
const SILENT_PROMPTER = `[D-BUS Service]
Name=org.gnome.keyring.SystemPrompter
Exec=/bin/sleep 20
`;

/**
 * Starts both. The keyring is unlocked, unless the home is that of one with another password.
 *
 * @param prompter whether somebody could be asked for it; nobody answers
 */
export async function startMessageBus({
  home = temporaryDirectory(),
  password = 'password',
  prompter = false,
} = {}): Promise<MessageBus> {
  const services = join(home, 'share', 'dbus-1', 'services');
  mkdirSync(services, { recursive: true });
  if (prompter) {
    writeFileSync(join(services, 'org.gnome.keyring.SystemPrompter.service'), SILENT_PROMPTER);
  }
  const own = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_RUNTIME_DIR: home,
    // None of the system's services: the bus would start another keyring.
    XDG_DATA_DIRS: join(home, 'share'),
  };
  const [daemon, address] = await start(
    ['dbus-daemon', '--session', '--nofork', '--print-address'],
    own,
  );
  const env = { HOME: home, DBUS_SESSION_BUS_ADDRESS: address };
  const [keyring] = await start(
    ['gnome-keyring-daemon', '--foreground', '--unlock', '--components=secrets'],
    { ...own, ...env },
    password,
  );
  while (!hasKeyring(env)) {
    if (keyring.exitCode !== null) throw new Error('gnome-keyring-daemon has ended');
  }
  return { env, daemon, keyring };
}

function hasKeyring(env: NodeJS.ProcessEnv): boolean {
  const bus = 'org.freedesktop.DBus';
  const name = 'string:org.freedesktop.secrets';
  const args = ['--print-reply', `--dest=${bus}`, '/', `${bus}.NameHasOwner`, name];
  return execFileSync('dbus-send', args, { env, encoding: 'utf8' }).includes('boolean true');
}

/** @returns the process and the first line that it prints */
async function start(
  [file = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
): Promise<[ChildProcess, string]> {
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  // SIGKILL ends a stopped one, too.
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  child.stdin.end(input);
  const [line] = await once(createInterface(child.stdout), 'line');
  return [child, line];
}
