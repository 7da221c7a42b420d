import { once } from 'node:events';
import { createAuthority } from './certificates.ts';
import { ACQUIRED, STATE } from './hosted-answers.ts';
import { ADMIN_ANSWERS } from './json-answers-admin.ts';
import { watched } from './json-answers-watch.ts';
import {
  type Answers,
  aboutRunnerJob,
  createMachine,
  idOf,
  lines,
  type Machine,
  RUNNER,
} from './json-machine.ts';
import { addProfile, outcomeOf } from './sandbox.ts';
import { startLastingStub, startStub } from './stub-server.ts';
import { startTlsService } from './tls-service.ts';

/** Claims as many jobs as there are lines, and runs each about its own. */
function aboutJobs(...shown: readonly string[]): Answers {
  return async ({ answer }) => {
    await answer(`admin jobs add --type extract_facts --count ${shown.length}`);
    const answers: unknown[] = [];
    for (const line of shown) {
      const job = idOf(await answer('jobs claim --next'));
      answers.push(await answer(line.replace('JOB', job)));
    }
    return answers;
  };
}

/** A profile that has all that one can have. */
function addClient({ answer }: Machine, name: string): Promise<unknown> {
  const { certFile, keyFile } = createAuthority();
  const files = `--ca-file ${certFile} --client-cert ${certFile} --client-key ${keyFile}`;
  const client = `--client-id c --client-secret-stdin --scope s ${files}`;
  const url = 'https://c.example.com/api/v1';
  return answer(`profile add ${name} --service retaia --url ${url} ${client}`, {
    input: 'a-secret-with-a-tail',
  });
}

/** Runs lines on a machine that has profiles: with a token, with none, with an OAuth 2.0 client. */
const withProfiles =
  (...shown: readonly string[]): Answers =>
  async (machine) => {
    const { answer } = machine;
    const { url: used } = await startStub({ status: 200, body: STATE });
    await addProfile(machine, 'stored', used);
    await answer('status k --profile stored');
    await answer('profile add none --service retaia --url https://b.example.com');
    await addClient(machine, 'client');
    return lines(...shown)(machine);
  };

/** Queues that are empty, have jobs in all states, and of a server that only lists them. */
const queues: Answers = async (machine) => {
  const { answer } = machine;
  const shown = [await answer('jobs why')];
  await answer('admin jobs add --type t --count 2');
  await answer('admin jobs add --type u --capability c');
  const [job] = Object(await answer('admin jobs add --type v'));
  for (let time = 0; time < 3; time += 1) {
    await answer(`jobs claim ${job.job_id}`);
    await answer(`jobs fail ${job.job_id} --error-code e --retryable`);
  }
  await answer('jobs claim --next');
  shown.push(await answer('jobs why'));
  const { url } = await startLastingStub({ status: 200, body: [{ job_id: 'j', job_type: 't' }] });
  await addProfile(machine, 'media', `${url}/api/v1`, 'token', 'retaia');
  return [...shown, await answer('jobs why')];
};

/** The events of lines that are run one after the other; those that begin with `-` only prepare. */
const execEvents =
  (...shown: readonly string[]): Answers =>
  async ({ answer, events }) => {
    const told: unknown[] = [];
    for (const line of shown) {
      if (line.startsWith('-')) await answer(line.slice(1));
      else told.push(...(await events(line)));
    }
    return told;
  };

/** In words that are apart by tabs, for a shell. */
const DIES = 'sh -c kill\t-9\t$$';

/** What it says when it listens; it goes on until it is stopped. */
const serves: Answers = async ({ start }) => {
  const child = start(['serve', '--port', '0', '--json']);
  const [line] = child.stdout ? await once(child.stdout, 'data') : [];
  child.kill('SIGINT');
  await outcomeOf(child);
  return [JSON.parse(String(line))];
};

/** What each command answers, in all the ways in which its answers differ. */
export const ANSWERS: Readonly<Record<string, Answers>> = {
  lease: lines(
    '*lease k --ttl 60s',
    '*lease k',
    'complete k',
    '*lease k',
    'lease f',
    'fail f --error-code e',
    '*lease f',
  ),
  status: lines(
    'lease k',
    '*status k',
    'complete k --result-hash h',
    '*status k',
    'lease f',
    'fail f --error-code e',
    '*status f',
  ),
  why: async (machine) => [
    ...(await lines('lease k', 'lease k', '*why k', 'extend k', '*why k')(machine)),
    ...(await lines('lease kk', '*why kkk', 'fail kk --error-code e', '*why kk')(machine)),
    ...(await lines('exec x -- echo {}', '*why x')(machine)),
    ...(await aboutRunnerJob('why JOB')(machine)),
    ...(await aboutJobs('why JOB')(machine)),
  ],
  extend: lines('lease k', '*extend k'),
  complete: lines('lease k', '*complete k'),
  cancel: lines('lease k', '*cancel k'),
  fail: lines('lease k', '*fail k --error-code e'),
  result: lines(
    'lease k',
    '*result k',
    'complete k --result {}',
    '*result k',
    'lease f',
    'fail f --error-code e',
    '*result f',
  ),
  wait: lines(
    'lease k',
    'complete k --result {}',
    '*wait k',
    'lease f',
    'fail f --error-code e',
    '*wait f',
  ),
  run: async (machine) => {
    const keyed = await lines('*run k --ttl 60s', '*run k')(machine);
    const answer = { ok: true, allowed: false, decision: 'blocked', policy_reason: 'r' };
    const { url } = await startStub({ status: 200, body: answer });
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: 't' };
    return [...keyed, await machine.answer('run --agent a --tool t', { env })];
  },
  exec: execEvents(
    'exec a -- true',
    `exec b -- ${DIES}`,
    'exec c --ttl 6s -- sleep 3',
    '-lease held',
    'exec held --wait 1s -- true',
  ),

  ls: async (machine) => {
    const answers = await lines(
      'lease k',
      'extend k',
      '*ls',
      '*ls --offline',
      '*ls --all',
    )(machine);
    const { url } = await startLastingStub(ACQUIRED, { status: 500, body: {} });
    await addProfile(machine, 'prod', url);
    await machine.answer('lease k --profile prod');
    return [...answers, await machine.answer('ls --timeout 1s')];
  },
  api: lines(
    '*api POST /v1/ai/lease --service onceonly --input {"key":"k"} --dry-run',
    '*api POST /v1/ai/lease --service onceonly --dry-run',
  ),
  serve: serves,
  watch: watched,
  completion: lines('*completion bash'),
  capabilities: async (machine) => [
    ...(await lines('*capabilities')(machine)),
    ...(await withProfiles('*capabilities stored')(machine)),
  ],

  doctor: async (machine) => {
    const ca = createAuthority();
    const { port } = await startTlsService(ca.issue('service', 'IP:127.0.0.1'));
    await addProfile(machine, 'media', `https://127.0.0.1:${port}/api/v1`, 'token', 'retaia');
    await machine.answer(`profile edit media --ca-file ${ca.certFile}`);
    return [await machine.answer('doctor')];
  },

  'jobs:list': lines(
    '*jobs list',
    'admin jobs add --type t',
    'admin jobs add --type t --capability c --source {"storage_id":"s"}',
    '*jobs list',
  ),
  break: async (machine) => {
    const shown: unknown[] = [];
    const local = await lines(
      'lease k',
      '*break k --reason r --observe 1s --yes',
      '*break k --reason r --yes',
    )(machine);
    shown.push(...local);
    await machine.answer('admin jobs add --type t');
    const job = idOf(await machine.answer('jobs claim --next'));
    shown.push(await machine.answer(`break ${job} --reason r --force --yes`));
    const canceled = { ...STATE, status: 'failed', ttl_left: null };
    const { url } = await startStub({ status: 200, body: STATE }, { status: 200, body: canceled });
    await addProfile(machine, 'hosted', url);
    return [...shown, await machine.answer('break k --reason r --force --yes --profile hosted')];
  },
  'jobs:why': queues,
  'jobs:claim': lines(
    'admin jobs add --type t',
    'admin jobs add --type t --capability c --source {"storage_id":"s"}',
    '*jobs claim --next',
    '*jobs claim --next',
  ),
  'jobs:heartbeat': aboutJobs('jobs heartbeat JOB'),
  'jobs:submit': aboutJobs('jobs submit JOB --patch {}'),
  'jobs:fail': aboutJobs(
    'jobs fail JOB --error-code e',
    'jobs fail JOB --error-code e --retryable',
  ),
  'jobs:exec': execEvents(
    '-admin jobs add --type extract_facts --count 2',
    'jobs exec --next --result-from stdout -- echo {"facts_patch":{}}',
    `jobs exec --next -- ${DIES}`,
  ),

  'runner-jobs:lease': lines(
    `*runner-jobs lease ${RUNNER}`,
    'admin runner-jobs add',
    'admin runner-jobs add --workflow w --data {}',
    `*runner-jobs lease ${RUNNER}`,
    `*runner-jobs lease ${RUNNER}`,
  ),
  'runner-jobs:ping': aboutRunnerJob('runner-jobs ping JOB'),
  'runner-jobs:complete': aboutRunnerJob('runner-jobs complete JOB --status PASSED'),
  'runner-jobs:exec': execEvents('-admin runner-jobs add', `runner-jobs exec ${RUNNER} -- true`),

  ...ADMIN_ANSWERS,

  'profile:add': async (machine) => [
    ...(await withProfiles()(machine)),
    await addClient(machine, 'another'),
    await machine.answer('profile add c --service onceonly --token-stdin', { input: 'token' }),
    await machine.answer('profile add b --service askui'),
  ],
  'profile:edit': withProfiles(
    '*profile edit none --url https://d.example.com',
    '*profile edit client --url https://c.example.com/other/api/v1',
    '*profile edit stored --auth bearer',
  ),
  'profile:export': withProfiles('*profile export'),
  'profile:import': async (machine) => {
    const profile = { service: 'onceonly', url: 'https://a.example.com' };
    const profiles = { new: { ...profile, service: 'askui' }, stored: profile };
    const input = JSON.stringify({ version: 1, profiles, defaults: ['new'] });
    await withProfiles()(machine);
    return [await machine.answer('profile import - --skip-existing', { input })];
  },
  'profile:list': withProfiles('*profile list'),
  'profile:remove': withProfiles('*profile remove none --yes'),
  'profile:rename': withProfiles(
    '*profile rename stored renamed',
    '*profile rename client renamed-client',
    '*profile rename none renamed-none',
  ),
  'profile:show': withProfiles(
    '*profile show local',
    '*profile show stored',
    '*profile show none',
    '*profile show client',
    '*profile show --resolve lease',
    '*profile show --resolve status',
  ),
  'profile:use': withProfiles('*profile use stored', '*profile use client', '*profile use local'),
};

/** Failures of leasectl, of a service, and without a hint. */
const failures: Answers = async ({ events, answer }) => {
  await answer('lease k');
  const told = [
    await events('status'),
    await events('status unknown'),
    await events('extend k --lease-id lease_x'),
    await events('profile show unknown'),
  ];
  return told.flat();
};

export const answersOf = (id: string): Promise<readonly unknown[]> | undefined =>
  ANSWERS[id]?.(createMachine());

export const failuresTold = (): Promise<readonly unknown[]> => failures(createMachine());
