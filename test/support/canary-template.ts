import { SECRETS } from './canaries.ts';
import { type CanaryMachine, createCanaryMachine } from './canary-machine.ts';

/** What stands for the `{WORD}`s of forms. */
export type Words = Readonly<Record<string, string>>;

/** A machine with profiles of all kinds, which holds something of everything. */
export interface Template {
  readonly machine: CanaryMachine;
  /** With the stub, and with the embedded service where what is asked for is free, or taken. */
  readonly hosted: Words;
  readonly free: Words;
  readonly taken: Words;
}

export const PATHS = { onceonly: '', retaia: '/api/v1', askui: '', leasectl: '' } as const;
type Service = keyof typeof PATHS;
const SERVICES: readonly Service[] = ['onceonly', 'retaia', 'askui', 'leasectl'];

/** What says how to come to the secret of a profile, and stdin. */
const KINDS: Readonly<Record<string, readonly [flags: readonly string[], input: string]>> = {
  stored: [['--token-stdin'], SECRETS.stored],
  printed: [['--token-command', 'sh {given}/print.sh'], ''],
  client: [
    ['--client-id', 'c', '--token-url', '{url}/oauth/token', '--client-secret-stdin'],
    SECRETS.client,
  ],
};

/** @param url where the stub is, and does what it is asked */
export async function createTemplate(root: string, url: string): Promise<Template> {
  const machine = createCanaryMachine(root);
  const { given, json } = machine;
  const filled = (word: string) => word.replace('{given}', given).replace('{url}', url);
  for (const service of SERVICES) {
    for (const [kind, [flags, input]] of Object.entries(KINDS)) {
      const name = `${service}-${kind}`;
      const place = ['--service', service, '--url', url + PATHS[service]];
      await json(['profile', 'add', name, ...place, ...flags.map(filled)], { input });
      await json([...takeAt(service), '--profile', name]);
    }
  }
  return { machine, ...(await fillEmbedded(machine)) };
}

function takeAt(service: Service): string[] {
  if (service === 'onceonly' || service === 'leasectl') return ['lease', 'k1'];
  return service === 'retaia'
    ? ['jobs', 'claim', 'j1']
    : ['runner-jobs', 'lease', '--runner-id', 'r'];
}

async function fillEmbedded({ json }: CanaryMachine): Promise<Omit<Template, 'machine'>> {
  const at = ['--profile', 'local'];
  await json(['lease', 'k1', ...at]);
  const jobs = await json([
    ...['admin', 'jobs', 'add', '--type', 'extract_facts', '--count', '3'],
    ...at,
  ]);
  const claimed = Object(await json(['jobs', 'claim', '--next', ...at])).job_id;
  const waiting = [jobs].flat().map((job) => Object(job).job_id);
  const lines = Array.from({ length: 3 }, () => JSON.stringify({ access_token: SECRETS.job }));
  const add = ['admin', 'runner-jobs', 'add', '--file', '-', ...at];
  const added = await json(add, { input: lines.join('\n') });
  const leased = Object(await json(['runner-jobs', 'lease', '--runner-id', 'r', ...at])).id;
  const runnerJobs = [added].flat().map((job) => Object(job).id);
  const other = (ids: readonly unknown[], id: unknown) => String(ids.find((one) => one !== id));
  const [freeJob, freeRunnerJob] = [other(waiting, claimed), other(runnerJobs, leased)];
  return {
    hosted: {
      key: 'k1',
      'held-key': 'k1',
      'busy-key': 'busy',
      job: 'j1',
      'held-job': 'j1',
      'held-runner-job': 'r1',
      'runner-job': freeRunnerJob,
    },
    free: {
      key: 'k2',
      'held-key': 'k1',
      'busy-key': 'k1',
      job: freeJob,
      'held-job': claimed,
      'held-runner-job': leased,
      'runner-job': freeRunnerJob,
    },
    taken: {
      key: 'k1',
      'held-key': 'k2',
      'busy-key': 'k1',
      job: claimed,
      'held-job': freeJob,
      'held-runner-job': freeRunnerJob,
      'runner-job': leased,
    },
  };
}
