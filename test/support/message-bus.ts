import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, vi } from 'vitest';
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
export const canSkipKeyring = !isInstalled && process.env['LEASECTL_TEST_ALL'] !== '1';

/** A service that waits to be asked for a password, and never answers. */
const SILENT_PROMPTER = `[D-BUS Service]
Name=org.gnome.keyring.SystemPrompter
Exec=/bin/sleep 20
`;

/** A bus that knows no other services than these: the system's would start another keyring. */
const configuration = (home: string) => `<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=${home}</listen>
  <servicedir>${home}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
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
  if (prompter) {
    writeFileSync(join(home, 'org.gnome.keyring.SystemPrompter.service'), SILENT_PROMPTER);
  }
  const configFile = join(home, 'bus.conf');
  writeFileSync(configFile, configuration(home));
  const own = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: home };
  const words = [`--config-file=${configFile}`, '--nofork', '--print-address'];
  const daemon = start('dbus-daemon', words, own);
  const [address] = await once(createInterface(daemon.stdout), 'line');
  const env = { HOME: home, DBUS_SESSION_BUS_ADDRESS: String(address) };
  const options = ['--foreground', '--unlock', '--components=secrets'];
  const keyring = start('gnome-keyring-daemon', options, { ...own, ...env });
  keyring.stdin.end(password);
  await vi.waitFor(() => expect(hasKeyring(env)).toBe(true), { timeout: 10_000, interval: 10 });
  return { env, daemon, keyring };
}

function hasKeyring(env: NodeJS.ProcessEnv): boolean {
  const bus = 'org.freedesktop.DBus';
  const name = 'string:org.freedesktop.secrets';
  const args = ['--print-reply', `--dest=${bus}`, '/', `${bus}.NameHasOwner`, name];
  return execFileSync('dbus-send', args, { env, encoding: 'utf8' }).includes('boolean true');
}

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  // SIGKILL ends a stopped one, too.
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}
