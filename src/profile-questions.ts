import { Failure } from './domain/failure.ts';
import type { NewSecret } from './profile-writing-command.ts';
import { isSameAddressee, parsePrivateUrl, usualTokenUrl, type Wishes } from './profiles/draft.ts';
import {
  type Credential,
  checkProfileName,
  type Profile,
  parseClientId,
  parseToken,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
  secretOf,
} from './profiles/profile.ts';
import type { StoredSecret } from './secrets/secret-store.ts';
import type { Prompts } from './terminal/prompts.ts';

/** What a profile is to be, in all. */
export interface Plan {
  readonly name: string;
  readonly service: ServiceName;
  readonly wishes: Wishes;
  /** Undefined where the one that there is stays, or there is to be none. */
  readonly secret: NewSecret | undefined;
  /** Whether there is to be none. */
  readonly isDropped: boolean;
}

/** What is known, and not asked. */
export interface Given {
  readonly name?: string | undefined;
  readonly service?: ServiceName | undefined;
  readonly wishes: Wishes;
  readonly secret?: NewSecret | undefined;
}

const SERVICE_WORDS: Readonly<Record<ServiceName, string>> = {
  onceonly: 'OnceOnly: leases on keys that you name',
  retaia: 'Retaia: leases on jobs that you pick',
  askui: 'AskUI: leases on the next job that fits a runner',
  leasectl: 'leasectl: all of these, served by leasectl itself',
};

type Way = 'bearer' | 'basic' | 'oauth2' | 'command' | 'none';

const WAY_WORDS: Readonly<Record<Way, string>> = {
  bearer: 'With a token (Bearer)',
  basic: 'With an access token (Basic)',
  oauth2: 'As an OAuth 2.0 client, with an id and a secret',
  command: 'With a token that a command prints each time',
  none: 'With a token from the environment: store none',
};

/** What to answer for no scope at all: an empty answer means the usual one. */
const NO_SCOPE = 'none';

/** @param taken the names that there are */
export async function askForProfile(
  prompts: Prompts,
  given: Given,
  taken: readonly string[],
): Promise<Plan> {
  const isFree = (answer: string) =>
    taken.includes(answer)
      ? `There is a profile ${answer} already.`
      : whyNot(() => checkProfileName(answer));
  const problem = given.name === undefined ? undefined : isFree(given.name);
  if (problem) throw new Failure('usage', problem, { hint: 'Take another name.' });
  const choices = SERVICE_NAMES.map((value) => ({
    value,
    name: SERVICE_WORDS[value],
    short: SERVICE_WORDS[value].split(':')[0],
  }));
  const service = given.service ?? (await prompts.choose('Which service is it for?', choices));
  const usualName = taken.includes(service) ? undefined : service;
  const name = given.name ?? (await prompts.text('Name of the profile?', usualName, isFree));
  return { name, service, ...(await askForSettings(prompts, service, given, undefined)) };
}

type Settings = Pick<Plan, 'wishes' | 'secret' | 'isDropped'>;

/** @param current the profile to change, if there is one: what it says is the usual answer */
export async function askForSettings(
  prompts: Prompts,
  service: ServiceName,
  { wishes, secret }: Given,
  current: Profile | undefined,
): Promise<Settings> {
  const { baseUrl, schemes } = SERVICES[service];
  const answered = wishes.url ?? (await prompts.text('Base URL?', current?.url ?? baseUrl, isUrl));
  // What stays as it is must not undo what others change meanwhile.
  const settled = { ...wishes, ...(answered === current?.url ? {} : { url: answered }) };
  const ways: Way[] = [...schemes, 'oauth2', 'command', 'none'];
  const way = secret
    ? (wishes.auth ?? schemes[0])
    : (wishes.auth ??
      (await prompts.choose(
        'How do you authenticate?',
        ways.map((value) => ({ value, name: WAY_WORDS[value] })),
        wayOf(current),
      )));
  if (way === 'none') return { wishes: settled, secret: undefined, isDropped: true };
  if (way === 'oauth2') return askForClient(prompts, service, answered, settled, secret, current);
  const auth = way === 'command' ? usualAuth(service, current) : way;
  const known = keptBy(current?.credential, { type: auth, origin: new URL(answered).origin });
  const ask = () =>
    way === 'command'
      ? askForCommand(prompts, isCommand(known) ? known.command : undefined)
      : askForSecret(prompts, 'Token', known !== undefined && !isCommand(known));
  return { wishes: { ...settled, auth }, secret: secret ?? (await ask()), isDropped: false };
}

async function askForClient(
  prompts: Prompts,
  service: ServiceName,
  url: string,
  wishes: Wishes,
  secret: NewSecret | undefined,
  current: Profile | undefined,
): Promise<Settings> {
  const credential = current?.credential?.type === 'oauth2' ? current.credential : undefined;
  const clientId =
    wishes.clientId ?? (await prompts.text('Id of the client?', credential?.client_id, isClientId));
  const isOwn = credential && credential.token_url !== usualTokenUrl(service, current?.url);
  const usualUrl = isOwn ? credential.token_url : usualTokenUrl(service, url);
  const tokenUrl =
    wishes.tokenUrl ?? (await prompts.text('URL where it gets tokens?', usualUrl, isUrl));
  const scope = wishes.scope ?? (await askForScope(prompts, credential?.scope));
  const draft = {
    type: 'oauth2',
    client_id: clientId,
    token_url: tokenUrl,
    origin: new URL(url).origin,
  } as const;
  const canStay = keptBy(credential, draft) !== undefined;
  return {
    wishes: { ...wishes, auth: 'oauth2', clientId, tokenUrl, scope },
    secret: secret ?? (await askForSecret(prompts, 'Secret of the client', canStay)),
    isDropped: false,
  };
}

async function askForScope(prompts: Prompts, known: string | undefined): Promise<string> {
  const question = `Scopes, separated by spaces (${NO_SCOPE}: the service decides)?`;
  const isScope = (answer: string) =>
    /^[\x20-\x7e]+$/.test(answer) ? undefined : 'Scopes are visible ASCII characters.';
  const answer = await prompts.text(question, known ?? NO_SCOPE, isScope);
  return answer === NO_SCOPE ? '' : answer;
}

/** @param canStay whether there is one, which stays when nothing is answered */
async function askForSecret(
  prompts: Prompts,
  what: string,
  canStay: boolean,
): Promise<NewSecret | undefined> {
  const question = canStay ? `${what}? (empty: it stays as it is)` : `${what}?`;
  const value = await prompts.secret(question, (answer) =>
    canStay && answer === '' ? undefined : isToken(answer),
  );
  return value === '' ? undefined : { value };
}

async function askForCommand(
  prompts: Prompts,
  usual: string | undefined,
): Promise<NewSecret | undefined> {
  const isText = (answer: string) =>
    /^\P{Cc}+$/u.test(answer) ? undefined : 'That is no line of shell.';
  const command = await prompts.text('Line of shell that prints the token?', usual, isText);
  return command === usual ? undefined : { command };
}

/** The secret that may stay where a credential becomes another. */
function keptBy(current: Credential | undefined, next: Credential): StoredSecret | undefined {
  return current && isSameAddressee(current, next) ? secretOf(current) : undefined;
}

function wayOf(current: Profile | undefined): Way | undefined {
  if (current === undefined) return undefined;
  const { credential } = current;
  const secret = secretOf(credential);
  if (credential === undefined) return 'none';
  return isCommand(secret) && credential.type !== 'oauth2' ? 'command' : credential.type;
}

/** How a token is shown that a command prints. */
function usualAuth(service: ServiceName, current: Profile | undefined) {
  const type = current?.credential?.type;
  return type === undefined || type === 'oauth2' ? SERVICES[service].schemes[0] : type;
}

function isCommand(secret: StoredSecret | undefined): secret is { command: string } {
  return typeof secret === 'object' && 'command' in secret;
}

const isUrl = (answer: string) => whyNot(() => parsePrivateUrl(answer, 'That'));
const isClientId = (answer: string) => whyNot(() => parseClientId(answer, 'That'));
const isToken = (answer: string) => whyNot(() => parseToken(answer, 'That'));

/** What is wrong with an answer, as a sentence. */
function whyNot(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [error.message, error.hint].filter(Boolean).join(' ');
  }
}
