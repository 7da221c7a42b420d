import { existsSync, readFileSync } from 'node:fs';
import { type Canary, excerptsOf, named, SECRETS, secretsIn } from './canaries.ts';
import { mislaidIn } from './canary-files.ts';
import type { Seen } from './canary-machine.ts';
import type { CanaryService } from './canary-service.ts';
import { PATHS, type Template } from './canary-template.ts';
import type { Trial } from './canary-trials.ts';
import { runOnTerminal } from './on-terminal.ts';

export interface Report {
  readonly trial: Trial;
  readonly line: string;
  readonly code: number | null;
  /** What came to light that should not have. */
  readonly leaks: readonly string[];
  readonly seen: Seen;
  /** What the commands saw that leasectl ran; empty where it ran none. */
  readonly lookedAt: string;
}

type Service = keyof typeof PATHS;
const isService = (name: string | undefined): name is Service =>
  name !== undefined && name in PATHS;

/** Runs leasectl as a trial says, on a machine of its own. */
export async function tryOut(
  trial: Trial,
  template: Template,
  service: CanaryService,
): Promise<Report> {
  const machine = template.machine.copy();
  try {
    const words = wordsOf(trial, template, service);
    const env = { ...machine.env, ...(await environmentOf(trial, service)) };
    const { input } = trial.form;
    const seen =
      trial.mode === 'terminal'
        ? await runOnTerminal(words, { env, input, cwd: machine.home })
        : await machine.run(words, { env, input });
    const lookedAt = existsSync(machine.lookedAt) ? readFileSync(machine.lookedAt, 'latin1') : '';
    const leaks = [
      ...told(trial, seen),
      ...shownOfProcesses(seen, lookedAt),
      ...mislaidIn(machine.home),
    ];
    const variables = Object.entries(env).filter(([name]) => !(name in machine.env));
    const line = [...variables.map((pair) => pair.join('=')), 'leasectl', ...words].join(' ');
    return { trial, line: named(line), code: seen.code, leaks, seen, lookedAt };
  } finally {
    machine.remove();
  }
}

/** The profile's service; that of commands that know none is of no matter. */
function serviceOf({ form: { command } }: Trial): Service {
  if (isService(command.service)) return command.service;
  return command.service === 'any' ? 'onceonly' : 'retaia';
}

function profileOf(trial: Trial): string | undefined {
  const { scenario, credential } = trial;
  if (scenario.embedded) return 'local';
  const isGiven = credential === 'variable' || credential === 'vendor';
  return isGiven ? undefined : `${serviceOf(trial)}-${credential}`;
}

const hasFlag = ({ form, hasFlag }: Trial) => hasFlag && 'profile' in form.command.flags;

const MODE_WORDS: Readonly<Record<Trial['mode'], readonly string[]>> = {
  text: [],
  terminal: [],
  help: ['--help'],
  json: ['--json'],
  query: ['--query', '@'],
  field: ['--field'],
  dry: ['--dry-run'],
  'dry json': ['--dry-run', '--json'],
};
/** The field that is most worth hiding. */
const FIELDS: Readonly<Record<Service, string>> = {
  onceonly: 'lease_id',
  retaia: 'lock_token',
  askui: 'ack',
  leasectl: 'token',
};

function wordsOf(trial: Trial, template: Template, { url }: CanaryService): string[] {
  const { form, scenario, mode } = trial;
  const profile = hasFlag(trial) ? profileOf(trial) : undefined;
  const { timeout = '1s' } = scenario;
  const flags = [
    ...MODE_WORDS[mode],
    ...(mode === 'field' ? [FIELDS[serviceOf(trial)]] : []),
    ...(profile ? ['--profile', profile] : []),
    ...('timeout' in form.command.flags && !form.words.includes('--timeout')
      ? ['--timeout', timeout]
      : []),
  ];
  const { home, given } = template.machine;
  const filled = {
    ...template[scenario.embedded ?? 'hosted'],
    url,
    given,
    timeout,
    // Of the copy: commands are run in their home.
    directory: home === '' ? '' : '.',
  };
  const words = form.words.map((word) =>
    word.replace(/\{([\w-]+)\}/g, (whole, name: string) => filled[name as 'url'] ?? whole),
  );
  const end = words.indexOf('--');
  return end < 0 ? [...words, ...flags] : words.toSpliced(end, 0, ...flags);
}

async function environmentOf(
  trial: Trial,
  service: CanaryService,
): Promise<Readonly<Record<string, string>>> {
  const { scenario, credential, debug, isInActions } = trial;
  const profile = profileOf(trial);
  const own = serviceOf(trial);
  // A service's own variable is there for other tools, anyway.
  const isVendors = credential === 'vendor' && /^(onceonly|askui)$/.test(own);
  const place = profile ? {} : { LEASECTL_URL: service.url + PATHS[own] };
  return {
    ONCEONLY_API_KEY: SECRETS.vendor,
    ASKUI_TOKEN: SECRETS.vendor,
    ...place,
    ...(profile || isVendors ? {} : { LEASECTL_TOKEN: SECRETS.bearer }),
    ...(profile && !hasFlag(trial) ? { LEASECTL_PROFILE: profile } : {}),
    ...(debug ? { LEASECTL_DEBUG: debug } : {}),
    ...(isInActions ? { GITHUB_ACTIONS: 'true' } : {}),
    ...(await scenario.env?.(service)),
  };
}

/** A service's own answer: the handles in it, and what it alone knows. */
const ANSWERED: readonly Canary[] = ['lease', 'lock', 'ack', 'fresh', 'input', 'header'];
/** The commands whose output is the service's answer in any case. */
const PASSES_ON = new Set(['api']);

/** Those that show what is told only once: a secret that was made for them. */
const SHOWS = new Set(['admin:tokens:add', 'admin:clients:add']);

function allowedOnStdout({ form, mode }: Trial): readonly Canary[] {
  if (mode === 'dry' || mode === 'dry json' || mode === 'help') return [];
  if (SHOWS.has(form.command.id)) return ['fresh'];
  const isChosen = mode === 'json' || mode === 'field' || mode === 'query';
  if (!isChosen && !PASSES_ON.has(form.command.id)) return [];
  return form.words.includes('--show-secrets') ? [...ANSWERED, 'job'] : ANSWERED;
}

function told(trial: Trial, { stdout, stderr }: Seen): string[] {
  const allowed = allowedOnStdout(trial);
  const isMask = (line: string) => line.startsWith('::add-mask::');
  const lines = stderr.split('\n');
  const masks = trial.isInActions ? lines.filter(isMask).join('\n') : '';
  const talk = lines.filter((line) => !trial.isInActions || !isMask(line)).join('\n');
  const shown = secretsIn(stdout);
  return [
    ...excerptsOf(
      stdout,
      shown.filter((name) => !allowed.includes(name)),
    ).map((leak) => `stdout has ${leak}`),
    ...secretsIn(masks)
      .filter((name) => !shown.includes(name))
      .map((name) => `stderr masks the ${name} secret, which is nowhere`),
    ...excerptsOf(talk, secretsIn(talk)).map((leak) => `stderr has ${leak}`),
  ];
}

/** The variable that a user sets for all programs is theirs, too; leasectl's own programs need none. */
function shownOfProcesses({ children }: Seen, lookedAt: string): string[] {
  const own = children.filter(({ commandLine }) => commandLine.startsWith(process.execPath));
  const inOwn = own.flatMap(({ environment }) => secretsIn(environment));
  const all = children.map(({ commandLine, environment }) => commandLine + environment).join('\n');
  const inOthers = secretsIn(all + lookedAt).filter((name) => name !== 'proxy');
  return [...new Set([...inOwn, ...inOthers])].map((name) => `a process shows the ${name} secret`);
}
