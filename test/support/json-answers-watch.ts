import type { Answers, Machine } from './json-machine.ts';
import { idOf } from './json-machine.ts';
import { addProfile } from './sandbox.ts';
import { addToken, startServe } from './served.ts';
import { startWatcher, type Watcher } from './watcher.ts';

/** All that can become of leases, told as it happens. */
export const watched: Answers = async (machine) => {
  const { answer } = machine;
  await answer('lease seen');
  const all = startWatcher(machine, ['--all', '--json']);
  await all.hears('seen');
  await answer('lease short --ttl 4s');
  await all.hears('ending');
  await all.hears('expired');
  for (const key of ['done', 'bad', 'off', 'broken']) await answer(`lease ${key}`);
  await answer('lease broken');
  await answer('extend broken');
  await answer('admin leases break broken --reason r');
  await answer('complete done');
  await answer('fail bad --error-code e');
  await answer('cancel off --reason r');
  await all.hears('canceled');
  await givenBack(machine, all);
  const told = all.told.filter(({ event }) => event !== 'late');
  all.kill('SIGTERM');
  return [...told, ...(await lostAndFound(machine))];
};

async function givenBack({ answer }: Machine, watcher: Watcher): Promise<void> {
  await answer('admin jobs add --type t');
  const job = idOf(await answer('jobs claim --next'));
  await answer(`jobs fail ${job} --error-code e --message m --retryable`);
  await watcher.hears('released');
  await answer('admin runner-jobs add');
  const runnerJob = idOf(await answer('runner-jobs lease --runner-id r'));
  await answer(`admin runner-jobs cancel ${runnerJob}`);
  await watcher.hears('cancel_requested');
}

/** What is told of a service that goes away, and comes back. */
async function lostAndFound(machine: Machine): Promise<readonly unknown[]> {
  const token = await addToken(machine.databaseFile, 'watcher', ['admin']);
  const served = await startServe(machine);
  await addProfile(machine, 'team', served.url, token, 'leasectl');
  const watcher = startWatcher(machine, ['--all', '--profile', 'team', '--json']);
  await watcher.hears('seen');
  served.kill('SIGTERM');
  const lost = await watcher.hears('contact_lost');
  await served.outcome;
  await startServe(machine, ['--port', new URL(served.url).port]);
  const found = await watcher.hears('contact_restored');
  watcher.kill('SIGTERM');
  return [lost, found];
}
