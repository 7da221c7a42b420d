import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Canary, SECRETS } from './canaries.ts';

/*
 * What can be typed, as the manifest declares it: so a new command, and a new flag, is covered by
 * itself. What cannot be guessed is in VALUES and WORDS.
 */

interface Flag {
  readonly name: string;
  readonly type: 'boolean' | 'option';
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly required?: boolean;
  readonly exclusive?: readonly string[];
  readonly dependsOn?: readonly string[];
  readonly helpGroup?: string;
  readonly completes?: string;
}

interface Argument {
  readonly name: string;
  readonly required?: boolean;
  readonly options?: readonly string[];
  readonly completes?: string;
}

export interface Command {
  readonly id: string;
  readonly args: Readonly<Record<string, Argument>>;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly service?: 'onceonly' | 'retaia' | 'askui' | 'leasectl' | 'any' | 'embedded';
  readonly runsCommand?: boolean;
}

/** One way of typing a command. `{WORD}` stands for what differs from machine to machine. */
export interface Form {
  readonly command: Command;
  readonly words: readonly string[];
  readonly input: string;
}

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url)), 'utf8'),
);
/** Run until they are stopped; what they tell is looked at in serve-access.test.ts, and watch-pipe.test.ts. */
const ENDLESS = ['serve', 'watch'];
/** Likewise with this flag; what comes then is looked at in admin-follow.test.ts. */
const ENDLESS_FLAG = 'follow';
export const COMMANDS: readonly Command[] = Object.values<Command>(manifest.commands).filter(
  ({ id }) => !ENDLESS.includes(id),
);

/** What a command wants beside what it declares as required. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  api: ['--service', 'onceonly'],
  'profile:add': ['--service', 'retaia', '--url', '{url}/api/v1'],
  break: ['--yes', '--observe', '1s'],
  'admin:jobs:add': ['--type', 'extract_facts'],
};

/** Arguments that mean something else to a command than to others. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = { break: ['{busy-key}'] };

/** By the flag's or the argument's name, else by what it completes, else by what its value is called. */
const VALUES: Readonly<Record<string, string>> = {
  path: '/v1/ai/lease',
  resolve: 'lease',
  scope: 'jobs:claim',
  expires: '1d',
  after: 'key:k1',
  since: '1h',
  method: 'POST',
  storage: 'file',
  ttl: '20s',
  'token-url': '{url}/api/v1/oauth/token',
  'conflict-exit-code': '9',
  'status-file': '{directory}/events',
  'ca-file': '{given}/ca.pem',
  'client-cert': '{given}/cert.pem',
  'client-key': '{given}/key.pem',
  file: '{given}/file',

  'stored-profile': 'retaia-stored',
  profile: 'retaia-stored',
  command: 'lease',
  lease: 'k1',

  DURATION: '{timeout}',
  NUMBER: '1',
  USD: '1',
  UUID: '7c1e1b52-5f0f-4a3c-9d5e-0d6a4f7c2b11',
  URL: '{url}/api/v1',
  FILE: '{given}/file',
  'FILE|-': '{given}/file',
  'JSON|@FILE|-': '{"pages": 3}',
  'NAME=VALUE': 'a=b',
  'NAME:VALUE': 'x-a: b',
  COMMAND: 'sh {given}/print.sh',
};

/** Which secret a flag is about. */
const KINDS: readonly (readonly [RegExp, Canary])[] = [
  [/lease/, 'lease'],
  [/lock/, 'lock'],
  [/ack/, 'ack'],
  [/client-secret/, 'client'],
  [/token|secret|key|pass/, 'stored'],
];
const kindOf = (name: string): Canary | undefined =>
  KINDS.find(([pattern]) => pattern.test(name))?.[1];

/** Fields and parameters with names that tell what they are. */
const FIELDS = JSON.stringify({ api_key: SECRETS.input, deep: [{ password: SECRETS.input }] });

/** The handle, where a flag wants one of any kind, in the service's own answer. */
export const HANDLES = JSON.stringify({
  job_type: 'extract_facts',
  lease_id: SECRETS.lease,
  lock_token: SECRETS.lock,
  ack: SECRETS.ack,
  fencing_token: 5,
  id: 'r1',
});

function wordFor({ name, options, completes = '', ...rest }: Flag | Argument): string {
  const held = /key|job/.test(completes) ? `{${completes}}` : undefined;
  const { helpValue = '' } = 'helpValue' in rest ? rest : {};
  return options?.[0] ?? VALUES[name] ?? held ?? VALUES[completes] ?? VALUES[helpValue] ?? 'word';
}

const typed = (flag: Flag): string[] =>
  flag.type === 'boolean' ? [`--${flag.name}`] : [`--${flag.name}`, wordFor(flag)];

/** What everybody can choose of an answer is tried in all combinations anyway. */
const isChoice = ({ helpGroup, name }: Flag) =>
  helpGroup === 'GLOBAL' || name === 'profile' || name === ENDLESS_FLAG;

function form(command: Command, flags: readonly string[], input = ''): Form {
  const { id, args, runsCommand } = command;
  const given = ARGUMENTS[id] ?? Object.values(args).map(wordFor);
  const words = [...id.split(':'), ...given, ...(WORDS[id] ?? [])];
  // A new flag stands for the one that is given otherwise.
  const isGiven = (word: string) => word.startsWith('--') && flags.includes(word);
  const usual = words.flatMap((word, at) =>
    isGiven(word) || isGiven(words[at - 1] ?? '') ? [] : [word],
  );
  const needed = Object.values(command.flags)
    .filter(({ name, required }) => required && !flags.includes(`--${name}`))
    .flatMap(typed);
  const end = runsCommand ? ['--', '{given}/look.sh'] : [];
  return { command, words: [...usual, ...needed, ...flags, ...end], input };
}

/** All ways in which a flag takes a secret, or what may hold some. */
function secretly(command: Command, flag: Flag): Form[] {
  const { name, helpValue = '', type } = flag;
  const kind = kindOf(name);
  const others = (flag.dependsOn ?? []).flatMap((other) =>
    command.flags[other] ? typed(command.flags[other]) : [],
  );
  const given = (value: readonly string[], input = '') =>
    form(command, [...others, `--${name}`, ...value], input);
  const needsClient = kind === 'client' ? ['--client-id', 'c'] : [];
  const withClient = (one: Form): Form => ({ ...one, words: [...one.words, ...needsClient] });
  if (type === 'boolean') {
    return name.endsWith('-stdin') ? [withClient(given([], SECRETS[kind ?? 'typed']))] : [];
  }
  if (helpValue === 'COMMAND' && kind) return [withClient(given([VALUES['COMMAND'] ?? '']))];
  if (helpValue === 'FILE' && kind && !/^client-key$/.test(name)) {
    return [withClient(given([`{given}/${kind}`]))];
  }
  if (helpValue === 'FILE|-') return [given(['-'], HANDLES), given(['{given}/handles'])];
  if (helpValue.startsWith('ID|')) return [given(['-'], SECRETS[kind ?? 'typed'])];
  if (helpValue.startsWith('JSON|')) return [given(['-'], FIELDS)];
  if (helpValue === 'NAME:VALUE') return [given([`X-Api-Key: ${SECRETS.header}`])];
  if (helpValue === 'NAME=VALUE') return [given([`api_key=${SECRETS.input}`])];
  return [];
}

/** As many of the other flags as go together, and then those that were left out. */
function together(command: Command, flags: readonly Flag[]): Form[] {
  if (flags.length === 0) return [];
  const chosen: Flag[] = [];
  for (const flag of flags) {
    const excludes = (one: Flag, other: Flag) => one.exclusive?.includes(other.name) ?? false;
    const isFree = chosen.every((one) => !excludes(one, flag) && !excludes(flag, one));
    const isReady = (flag.dependsOn ?? []).every((name) => chosen.some((one) => one.name === name));
    if (isFree && isReady) chosen.push(flag);
  }
  const rest = flags.filter((flag) => !chosen.includes(flag));
  const more = chosen.length > 0 ? together(command, rest) : [];
  return [form(command, chosen.flatMap(typed)), ...more];
}

function formsOf(command: Command): Form[] {
  const flags = Object.values(command.flags).filter((flag) => !isChoice(flag));
  const secret = flags.flatMap((flag) => secretly(command, flag));
  const isPlain = (flag: Flag) => !flag.required && secretly(command, flag).length === 0;
  return [form(command, []), ...secret, ...together(command, flags.filter(isPlain))];
}

export const FORMS: readonly Form[] = COMMANDS.flatMap(formsOf);
