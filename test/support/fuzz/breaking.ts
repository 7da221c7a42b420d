import fc, { type Arbitrary } from 'fast-check';
import { bytesOf, type Field, queryOf, type RawRequest, rawOf, type Template } from './request.ts';
import { nastyText, tooDeep, tooLarge, WRONG, WRONG_PARAMETER } from './values.ts';

/*
 * Requests that somebody may make who knows all, handles included, and that nevertheless must be
 * refused: each is right but for one thing.
 */

/** A member of a JSON object, as it stands in it. */
type Member = readonly [name: string, json: string];

const memberOf = ({ name, value }: Field): Member => [name, JSON.stringify(value)];
const objectOf = (members: readonly Member[]) =>
  `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;

/** All ways in which a template can be broken. */
export function broken(template: Template): Arbitrary<RawRequest> {
  const request = rawOf(template);
  const ways = [
    ...brokenBodies(template).map((bodies) => bodies.map((body) => ({ ...request, body }))),
    ...brokenQueries(template).map((queries) => queries.map((query) => ({ ...request, query }))),
    ...brokenPaths(template).map((paths) => paths.map((path) => ({ ...request, path }))),
    ...Object.keys(template.headers).map((name) =>
      fc.constantFrom('', undefined).map((value) => {
        const { [name]: _, ...others } = request.headers;
        return { ...request, headers: value === undefined ? others : { ...others, [name]: value } };
      }),
    ),
    // What is asked of no path.
    fc.constantFrom('PUT', 'PATCH').map((method) => ({ ...request, method })),
  ];
  return fc.oneof(...ways);
}

function brokenBodies({ body }: Template): Arbitrary<Uint8Array>[] {
  if (!body) return [];
  const members = body.map(memberOf);
  const but = (name: string) => members.filter(([own]) => own !== name);
  const text = objectOf(members);
  const withMember = (json: Arbitrary<string>) =>
    fc.tuple(fc.constantFrom('more', '__proto__', 'metadata'), json).map(([name, value]) => {
      return objectOf([...but(name), [name, value]]);
    });
  const texts = [
    ...body.flatMap(({ name, type, isRequired }) => [
      WRONG[type].map((json) => objectOf([...but(name), [name, json]])),
      // The last one counts.
      WRONG[type].map((json) => objectOf([...members, [name, json]])),
      ...(isRequired ? [fc.constant(objectOf(but(name)))] : []),
      ...(isRequired ? [inherited(body, name)] : []),
    ]),
    withMember(tooDeep),
    withMember(tooLarge),
    withMember(fc.constantFrom('NaN', 'Infinity', '0x1', "'a'", '01', '"\\x41"', '"\n"', ',')),
    fc.integer({ min: 0, max: text.length - 1 }).map((length) => text.slice(0, length)),
    fc.constantFrom('}', ' 1', ',', '\0', '{}', ' //', '\ufeff').map((more) => text + more),
    fc.constantFrom('null', '""', '1', 'true', '[]', `[${text}]`, JSON.stringify(text), '   '),
    nastyText.filter((other) => !other.includes('{')),
  ];
  return [...texts.map((all) => all.map(bytesOf)), ...brokenBytes(text)];
}

/** A field that is only there for who looks at what an object inherits. */
function inherited(body: readonly Field[], name: string): Arbitrary<string> {
  const members = body.filter((field) => field.name !== name).map(memberOf);
  const own = body.filter((field) => field.name === name).map(memberOf);
  return fc
    .constantFrom('__proto__', 'constructor', 'prototype')
    .map((parent) => objectOf([...members, [parent, objectOf(own)]]));
}

const noUtf8 = fc.constantFrom(
  [0xff],
  [0xc0, 0x80],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
);

/** Encodings that JSON does not come in. */
function brokenBytes(text: string): Arbitrary<Uint8Array>[] {
  const utf16 = Buffer.from(text, 'utf16le');
  const swapped = Buffer.from(utf16).swap16();
  const into = (before: string, sequence: readonly number[], after: string) =>
    Buffer.concat([Buffer.from(before), Buffer.from(sequence), Buffer.from(after)]);
  const [first = '', rest = ''] = text.split(/(?<=^\{".)/);
  return [
    fc.constantFrom(utf16, swapped, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])),
    // Within the name of the first field, and within a value that nobody asks for.
    noUtf8.map((sequence) => into(first, sequence, rest)),
    noUtf8.map((sequence) => into('{"more":"', sequence, `",${text.slice(1)}`)),
    fc.uint8Array({ minLength: 1, maxLength: 60 }).filter((bytes) => !bytes.includes(0x7b)),
  ];
}

function brokenQueries({ query }: Template): Arbitrary<string>[] {
  const pairs = query.map(({ name, value }) => [name, String(value)] as const);
  return query.flatMap(({ name, type, isRequired }) => {
    const others = pairs.filter(([own]) => own !== name);
    const wrong = WRONG_PARAMETER[type];
    return [
      ...(isRequired ? [fc.constant(queryOf(others))] : []),
      ...(isRequired ? [fc.constant(queryOf(pairs).replace(name, `${name}%00`))] : []),
      ...(wrong ? [wrong.map((value) => queryOf([...others, [name, value]]))] : []),
      ...(wrong ? [wrong.map((value) => queryOf([...pairs, [name, value]]))] : []),
    ];
  });
}

/** Paths on which there is nothing, or nothing that is known. */
function brokenPaths({ path, names }: Template): Arbitrary<string>[] {
  const elsewhere = fc.constantFrom(
    ...[`${path}/`, `/${path}`, `${path}/x`, path.toUpperCase(), `${path}%00`, `${path};a=1`],
    ...[path.replace(/\/(?=[^/]*$)/, '%2F'), `${path}%20`],
  );
  const others = names.map((name) =>
    nastyText
      .filter((text) => text !== '' && text.isWellFormed() && text !== '.' && text !== '..')
      .map((text) => path.replace(name, encodeURIComponent(text))),
  );
  const unreadable = names.map((name) =>
    fc
      .constantFrom('%', '%ff', '%zz', '%c0%80', '%ED%A0%80', `${name}%`, `%00${name}`)
      .map((text) => path.replace(name, text)),
  );
  return [elsewhere, ...others, ...unreadable];
}
