import { json } from '../http/route.ts';

/** The answer to what no contract knows, whichever service was asked. */
export const NO_SUCH_ENDPOINT = json(404, {
  detail: { error: 'no_such_endpoint', message: 'No such endpoint.' },
});
