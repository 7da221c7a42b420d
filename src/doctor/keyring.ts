import { type Profile, secretOf } from '../profiles/profile.ts';
import { sourceOf } from '../secrets/secret-store.ts';
import { about, command, type Finding } from './finding.ts';
import type { DoctorHost } from './host.ts';

/** Whether the system's keyring takes secrets, and gives them back; its absence is wrong where it is used. */
export async function checkKeyring({ context }: DoctorHost): Promise<Finding> {
  const subject = about('keyring');
  const { env, profiles } = context;
  const storage = env['LEASECTL_STORAGE'];
  const users: string[] = [];
  for (const name of await profiles.names()) {
    const profile = await profiles.get(name).catch(() => undefined);
    if (profile && isKept(profile)) users.push(name);
  }
  if (storage === 'file' && users.length === 0) {
    // To ask it could ask a person, for a password that nothing needs.
    return subject.ok('not used: LEASECTL_STORAGE is file');
  }
  const probe = await (await context.secrets()).probe();
  if (probe.available) return subject.ok(`${probe.name} takes secrets, and gives them back`);
  const detail = `${probe.name} cannot be used: ${probe.why}`;
  if (users.length > 0) {
    return subject.fail(`${detail}; it has the tokens of ${users.join(', ')}`, {
      advice:
        'Unlock it, or store them in files: leasectl profile edit NAME --storage file --token-stdin',
    });
  }
  if (storage === 'keyring') {
    const mend = command('export', 'LEASECTL_STORAGE=file');
    return subject.fail(`${detail}; LEASECTL_STORAGE wants it`, mend);
  }
  return subject.ok(`${detail}; tokens are kept in files that only you may read`);
}

function isKept({ credential }: Profile): boolean {
  const secret = secretOf(credential);
  return secret !== undefined && sourceOf(secret) === 'keyring';
}
