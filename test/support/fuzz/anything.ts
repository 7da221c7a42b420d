import fc, { type Arbitrary } from 'fast-check';
import { bytesOf, methodOf, queryOf, type RawRequest, type Template } from './request.ts';
import { nastyText, tooDeep, WRONG } from './values.ts';

/** Bytes that a header may have, and some that are not what they seem. */
const headerText = fc.oneof(
  fc.constantFrom('', ' ', '\u00ff', 'a, b', '"', 'x'.repeat(9_000), '__proto__', '\t', '*/*'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
);
const authorization = fc.oneof(
  headerText,
  fc
    .tuple(fc.constantFrom('Bearer', 'Basic', 'bearer', 'Digest', 'Bearer '), headerText)
    .map((parts) => parts.join(' ')),
);
const headers = fc.record(
  {
    authorization,
    'idempotency-key': headerText,
    'content-type': fc.oneof(
      headerText,
      fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'multipart/form-data'),
    ),
    'content-encoding': fc.constantFrom('gzip', 'br', 'nonsense'),
    'x-request-id': headerText,
    'x-forwarded-for': headerText,
    'x-http-method-override': fc.constantFrom('DELETE', 'POST'),
    accept: headerText,
    cookie: headerText,
  },
  { requiredKeys: [] },
);

const METHODS = ['GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];

/**
 * Requests of any kind, by somebody who has read the contract and knows no secret.
 *
 * @param names what there is, and may be asked for
 */
export function anything(
  templates: readonly Template[],
  names: readonly string[],
): Arbitrary<RawRequest> {
  const template = fc.constantFrom(...templates);
  const text = fc.oneof(fc.constantFrom(...names), nastyText);
  const fields = [
    ...new Set(
      templates.flatMap(({ query, body }) => [...query, ...(body ?? [])].map(({ name }) => name)),
    ),
  ];
  const name = fc.oneof(fc.constantFrom(...fields), nastyText);
  const value = fc.oneof(
    text.map((plain) => JSON.stringify(plain)),
    ...Object.values(WRONG),
    fc.json({ maxDepth: 6 }),
    tooDeep,
  );
  const object = fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((members) => members.map(([own, json]) => `${JSON.stringify(own)}:${json}`).join(','))
    .map((members) => `{${members}}`);
  const body = fc.oneof(
    { weight: 4, arbitrary: object.map(bytesOf) },
    { weight: 1, arbitrary: fc.json().map(bytesOf) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
  const query = fc.array(fc.tuple(name, text), { maxLength: 6 }).map(queryOf);
  return fc
    .record({
      template,
      method: fc.option(fc.constantFrom(...METHODS), { nil: undefined }),
      segment: fc.option(text, { nil: undefined }),
      query: fc.oneof(query, fc.string({ maxLength: 30 }).map(encodeURI)),
      headers,
      body,
    })
    .map(({ template: like, method = methodOf(like), segment, ...request }) => ({
      ...request,
      method,
      body: method === 'GET' || method === 'HEAD' ? undefined : request.body,
      path: pathFor(like, segment),
    }));
}

function pathFor({ path, names }: Template, segment: string | undefined): string {
  if (segment === undefined) return path;
  const encoded = encodeURIComponent(segment.toWellFormed());
  const [name] = names;
  return name === undefined ? `${path}/${encoded}` : path.replace(name, encoded);
}
