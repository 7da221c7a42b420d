import { type Answers, aboutRunnerJob, idOf, lines } from './json-machine.ts';
import { addProfile } from './sandbox.ts';
import { startTeamService } from './team-service.ts';

const ADD_TOKEN = '*admin tokens add t --scope admin';
const ADD_ANOTHER = '*admin tokens add u --scope keys:read --expires 1d';

/** Runs lines at a service where there are tokens that are over, and one that is used. */
function usingTokens(...shown: readonly string[]): Answers {
  return async (machine) => {
    const team = await startTeamService();
    await addProfile(machine, 'team', team.url, await team.token('admin', 'admin'), 'leasectl');
    await lines(ADD_TOKEN, ADD_ANOTHER, 'admin tokens revoke u')(machine);
    return lines(...shown.map((line) => `*${line}`))(machine);
  };
}

/** Runs lines where there are leases of all kinds, in many states. */
function aboutLeases(...shown: readonly string[]): Answers {
  return async ({ answer }) => {
    for (const key of ['held', 'broken', 'done']) await answer(`lease ${key} --meta a=b`);
    await answer('lease plain');
    await answer('admin leases break broken --reason r');
    await answer('fail done --error-code e --error-hash h');
    await answer('lease hashed');
    await answer('complete hashed --result {}');
    const job = idOf(await answer('admin jobs add --type t'));
    const runnerJob = idOf(await answer('admin runner-jobs add'));
    await answer('jobs claim --next');
    const answers: unknown[] = [];
    for (const line of shown) {
      answers.push(await answer(line.replace('JOB', /runner/.test(line) ? runnerJob : job)));
    }
    return answers;
  };
}

/** What each command of the administration answers. */
export const ADMIN_ANSWERS: Readonly<Record<string, Answers>> = {
  'admin:jobs:add': lines(
    '*admin jobs add --type t',
    '*admin jobs add --type t --capability c --source {"storage_id":"s"}',
  ),
  'admin:runner-jobs:add': lines(
    '*admin runner-jobs add',
    '*admin runner-jobs add --tag t --runner r',
  ),
  'admin:runner-jobs:cancel': aboutRunnerJob('admin runner-jobs cancel JOB'),
  'admin:clients:add': lines('*admin clients add c --scope jobs:claim'),
  'admin:clients:list': lines('admin clients add c --scope jobs:claim', '*admin clients list'),
  'admin:clients:remove': lines(
    'admin clients add c --scope jobs:claim',
    '*admin clients remove c',
  ),
  'admin:tokens:add': lines(ADD_TOKEN, ADD_ANOTHER),
  'admin:tokens:list': usingTokens('admin tokens list'),
  'admin:tokens:revoke': usingTokens('admin tokens revoke t', 'admin tokens revoke admin'),
  'admin:leases:list': aboutLeases('admin leases list', 'admin leases list --limit 1'),
  'admin:leases:show': aboutLeases(
    ...['held', 'broken', 'done', 'hashed'].map((key) => `admin leases show ${key}`),
    ...['job', 'runner-job'].map((kind) => `admin leases show JOB --kind ${kind}`),
  ),
  'admin:leases:break': aboutLeases('admin leases break held', 'admin leases break JOB --kind job'),
  'admin:history': aboutLeases('admin history', 'admin history --limit 1'),
};
