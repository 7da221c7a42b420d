import { Failure } from './domain/failure.ts';
import type { NewSecret } from './profile-writing-command.ts';
import type { Wishes } from './profiles/draft.ts';
import {
  checkProfileName,
  type Profile,
  parseBaseUrl,
  parseToken,
  SERVICE_NAMES,
  SERVICES,
  type ServiceName,
} from './profiles/profile.ts';
import type { Prompts } from './terminal/prompts.ts';

/** What a profile is to be, in all. */
export interface Plan {
  readonly name: string;
  readonly service: ServiceName;
  readonly wishes: Wishes;
  readonly secret: NewSecret | undefined;
}

const SERVICE_WORDS: Readonly<Record<ServiceName, string>> = {
  onceonly: 'OnceOnly: a lease on a key that you name',
  retaia: 'Retaia: a lease on a job that you pick',
  askui: 'AskUI: a lease on the next job that fits a runner',
};

type Way = 'bearer' | 'basic' | 'oauth2' | 'command' | 'none';

const WAY_WORDS: Readonly<Record<Way, string>> = {
  bearer: 'A token, shown as Bearer',
  basic: 'An access token, shown as Basic',
  oauth2: 'An OAuth 2.0 client, which gets tokens by its id and secret',
  command: 'A command of mine prints the token each time',
  none: 'Nothing is stored: the token is in the environment',
};

/** @param taken the names that there are */
export async function askForProfile(
  prompts: Prompts,
  name: string | undefined,
  taken: readonly string[],
): Promise<Plan> {
  const isFree = (answer: string) =>
    taken.includes(answer)
      ? `There is a profile ${answer} already.`
      : whyNot(() => checkProfileName(answer));
  const problem = name === undefined ? undefined : isFree(name);
  if (problem) throw new Failure('usage', problem, { hint: 'Take another name.' });
  const choices = SERVICE_NAMES.map((value) => ({ value, name: SERVICE_WORDS[value] }));
  const service = await prompts.choose('Which service is it for?', choices);
  const usualName = taken.includes(service) ? undefined : service;
  const chosen =
    name ?? (await prompts.text('What shall the profile be called?', usualName, isFree));
  const { wishes, secret } = await askForSettings(prompts, service, undefined);
  return { name: chosen, service, wishes, secret };
}

/** @param current the profile to change, if there is one: what it says is the usual answer */
export async function askForSettings(
  prompts: Prompts,
  service: ServiceName,
  current: Profile | undefined,
): Promise<Pick<Plan, 'wishes' | 'secret'>> {
  const { baseUrl, schemes, tokenPath } = SERVICES[service];
  const isUrl = (answer: string) => whyNot(() => parseBaseUrl(answer, 'This'));
  const url = await prompts.text('Base URL of the service?', current?.url ?? baseUrl, isUrl);
  const ways: Way[] = [...schemes, 'oauth2', 'command', 'none'];
  const way = await prompts.choose(
    'How do you authenticate?',
    ways.map((value) => ({ value, name: WAY_WORDS[value] })),
    current?.credential?.type,
  );
  if (way === 'none') return { wishes: { url }, secret: undefined };
  const isToken = (answer: string) => whyNot(() => parseToken(answer, 'This'));
  const isText = (answer: string) => (answer === '' ? 'An answer is needed.' : undefined);
  if (way === 'command') {
    const command = await prompts.text('Which line of shell prints it?', undefined, isText);
    return { wishes: { url }, secret: { command } };
  }
  if (way !== 'oauth2') {
    const value = await prompts.secret('The token?', isToken);
    return { wishes: { url, auth: way }, secret: { value } };
  }
  const known = current?.credential?.type === 'oauth2' ? current.credential : undefined;
  const clientId = await prompts.text('Id of the client?', known?.client_id, isToken);
  const value = await prompts.secret("The client's secret?", isToken);
  const usual = known?.token_url ?? (tokenPath && url.replace(/\/$/, '') + tokenPath);
  const tokenUrl = await prompts.text('Where does it get tokens?', usual, isUrl);
  const scope = await prompts.text(
    'What is to be asked for (scopes; empty: as the server likes)?',
    known?.scope,
    () => undefined,
  );
  const asked = scope === '' ? {} : { scope };
  return { wishes: { url, clientId, tokenUrl, ...asked }, secret: { value } };
}

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
