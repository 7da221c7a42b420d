import type { Access } from '../../engine/access.ts';
import { TOKEN_LIFETIME } from '../../engine/access.ts';
import { json, PROBLEMS, type Problem, type Route, type RouteRequest } from '../../http/route.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { BASE_PATH } from './routes.ts';

/** Retaia's token endpoint: OAuth 2.0 client credentials (RFC 6749, section 4.4). */
export function retaiaTokenRoute(access: Access): Route {
  return {
    method: 'POST',
    path: `${BASE_PATH}/oauth/token`,
    refuse: refuseProblem,
    clientIn: (request) => clientOf(request, new URLSearchParams(request.body))?.clientId,
    handle: async (request) => {
      const form = new URLSearchParams(request.body);
      const grantType = form.get('grant_type');
      if (!grantType) return refuse(400, 'invalid_request', 'There is no grant_type.');
      if (grantType !== 'client_credentials') {
        return refuse(400, 'unsupported_grant_type', 'Only client_credentials is.');
      }
      const client = clientOf(request, form);
      if (!client) return refuse(401, 'invalid_client', 'There are no client credentials.');
      // A parameter without a value counts as left out (section 3.2).
      const scopes = (form.get('scope') || undefined)?.split(' ').filter(Boolean);
      const answer = await access.grant({ ...client, scopes });
      if (answer.type === 'granted') {
        return uncached(200, {
          access_token: answer.token,
          token_type: 'Bearer',
          expires_in: TOKEN_LIFETIME / 1000,
          scope: answer.scopes.join(' '),
        });
      }
      return answer.reason === 'invalid_client'
        ? refuse(401, 'invalid_client', 'The client id or secret is wrong.')
        : refuse(400, 'invalid_scope', 'The client may not have this scope.');
    },
  };
}

/** The credentials in the header (section 2.3.1), or else in the form. */
function clientOf({ header }: RouteRequest, form: URLSearchParams) {
  const [, encoded] = /^Basic (.+)$/i.exec(header('authorization') ?? '') ?? [];
  const pair = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
  const [id, secret] =
    pair === undefined ? [form.get('client_id'), form.get('client_secret')] : decode(pair);
  return id && secret ? { clientId: id, clientSecret: secret } : undefined;
}

function decode(pair: string): (string | null)[] {
  const at = pair.indexOf(':');
  // Form-encoded first, then put into the header: so says section 2.3.1.
  const form = new URLSearchParams(`id=${pair.slice(0, at)}&secret=${pair.slice(at + 1)}`);
  return at < 0 ? [] : [form.get('id'), form.get('secret')];
}

/** OAuth's codes know of no other fault of the server's. */
const CODE_OF_OTHERS = 'temporarily_unavailable';

/** What never gets to the endpoint, in OAuth's form. */
function refuseProblem(problem: Problem, message: string = PROBLEMS[problem].message): HttpAnswer {
  const { status } = PROBLEMS[problem];
  return refuse(status, problem === 'too_large' ? 'invalid_request' : CODE_OF_OTHERS, message);
}

function refuse(status: number, error: string, description: string): HttpAnswer {
  const answer = uncached(status, { error, error_description: description });
  if (status !== 401) return answer;
  return {
    ...answer,
    headers: { ...answer.headers, 'www-authenticate': 'Basic realm="leasectl"' },
  };
}

function uncached(status: number, body: object): HttpAnswer {
  const answer = json(status, body);
  return { ...answer, headers: { ...answer.headers, 'cache-control': 'no-store' } };
}
