import { boolean, option, string } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import type { NeededService } from '../capability.ts';
import { Failure } from '../domain/failure.ts';
import { isTooDeep, MAX_DEPTH, parseJson } from '../domain/json.ts';
import { METHODS } from '../domain/method.ts';
import type { HttpRequest } from '../http/transport.ts';
import { required } from '../positional.ts';
import { serviceOf } from '../profiles/implied.ts';
import { SERVICE_NAMES } from '../profiles/profile.ts';
import { requestUrl, resolveSettings } from '../profiles/resolve.ts';
import { renderAnswer } from '../render-answer.ts';
import { parseHeaders } from '../request-header.ts';
import { parsePlace } from '../request-path.ts';
import { CHANGING_FLAGS, ServiceCommand } from '../service-command.ts';

export default class Api extends ServiceCommand {
  static override readonly summary = 'Send any request to a service, with its authentication';
  static override readonly description = [
    "PATH begins below the profile's URL. The answer's body goes to stdout, whatever its",
    'status: indented on a terminal, and in a pipe the very text. The exit code is 0 for a',
    'status of success, and else what the status means to the other commands. Only GET and',
    'HEAD are sent again when no answer comes.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> api GET /jobs -q limit=5 --service retaia',
    {
      description: 'With a body from stdin:',
      command:
        'echo \'{"key": "hello", "ttl": 60}\' | <%= config.bin %> <%= command.id %> POST /v1/ai/lease --service onceonly --input -',
    },
  ];
  static override readonly args = {
    method: required(METHODS.join(', '), 'method'),
    path: required("Path below the profile's URL, or a URL that begins with that"),
  };
  static override readonly baseFlags = CHANGING_FLAGS;
  static readonly service = 'any' satisfies NeededService;
  static override readonly flags = {
    input: string({
      description: 'Body of the request; it has to be JSON unless a Content-Type header is given',
      helpValue: 'JSON|@FILE|-',
    }),
    header: string({
      char: 'H',
      description: 'Header to send, e.g. Idempotency-Key; others can see it in the process list',
      helpValue: 'NAME:VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    param: string({
      char: 'q',
      description: 'Query parameter to add to the path',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    service: option({
      description: 'Service to talk to, where no profile says it',
      options: SERVICE_NAMES,
    })(),
    include: boolean({
      char: 'i',
      description: "Print the answer's status and headers first, without secrets",
      exclusive: ['json', 'field', 'query'],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Api);
    const method = parseMethod(args.method);
    this.changesNothing = /^(GET|HEAD)$/.test(method);
    const headers = this.withSecrets(parseHeaders(flags.header ?? []));
    const params = this.readPairs(flags.param, '--param');
    const body = await this.#body(flags.input, method, headers);
    const { context } = this;
    const service = await serviceOf(await context.selectionOfAny(flags.profile), flags.service);
    // Before a profile counts as used, and its secret is got: what is refused needs neither.
    const settings = await resolveSettings(await context.selection(service, flags.profile));
    const url = settings.url && requestUrl(settings.url.value, settings.service, service);
    const place = parsePlace(args.path, url);
    const { client } = await context.anyService(service, this.connectOptions(flags));
    for (const [name, value] of params) place.query.append(name, value);
    const exchanged = await client.send({ method, ...place, headers, body });
    const clean = (text: string) => context.redactor.clean(text);
    return renderAnswer(exchanged, { isIncluded: flags.include, clean });
  }

  /** Who sends a single request knows what it does. */
  protected override noteOnDryRun(): undefined {
    return undefined;
  }

  async #body(
    input: string | undefined,
    method: string,
    headers: HttpRequest['headers'],
  ): Promise<string> {
    if (input === undefined) return '';
    if (method === 'GET' || method === 'HEAD') {
      throw new Failure('usage', `A ${method} request has no body.`, {
        hint: 'Leave --input out; a query is given with --param NAME=VALUE.',
      });
    }
    const text = await this.context.terminal.readValue(input, '--input');
    const type = headers['content-type'];
    if (type === undefined || /[/+]json\b/i.test(type)) assertJson(text);
    if (!isTooDeep(text)) this.withSecrets(parseJson(text));
    return text;
  }
}

function parseMethod(text: string): string {
  const method = METHODS.find((name) => name === text.toUpperCase());
  if (method !== undefined) return method;
  throw new Failure('usage', `METHOD is none: ${JSON.stringify(text)}.`, {
    hint: `Give one of ${METHODS.join(', ')}.`,
  });
}

function assertJson(text: string): void {
  if (isTooDeep(text)) {
    throw new Failure('usage', `--input is nested deeper than ${MAX_DEPTH} levels.`, {
      hint: 'Put the inner part into a string.',
    });
  }
  if (parseJson(text) !== undefined) return;
  throw new Failure('usage', '--input is not valid JSON.', {
    hint: "Correct it, or say what it is: --header 'Content-Type: text/plain'",
  });
}
