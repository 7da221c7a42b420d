import fc, { type Arbitrary } from 'fast-check';
import type { FieldType } from './request.ts';

/*
 * Values for the fields of a request, as they stand in JSON: as text, because there is JSON that no
 * value of JavaScript is written as.
 */

const asJson = (value: unknown) => JSON.stringify(value);

/** Texts that somebody, somewhere, takes for something else. */
export const NASTY_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfffb',
  '\ufeff',
  '\u202e',
  '😀'.repeat(20),
  '__proto__',
  'constructor',
  'toString',
  "' OR 1=1 --",
  '%00',
  '%s%n',
  '../../etc/passwd',
  '$(id)',
  '1e999',
  'null',
  'true',
  'x'.repeat(600),
  'x'.repeat(70_000),
];

export const nastyText = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  // With lone surrogates.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
);

const nested = (depth: number, [open, close]: readonly [string, string]) =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Deeper than anybody may nest, in all ways. */
export const tooDeep = fc
  .tuple(
    fc.constantFrom(257, 300, 5_000, 100_000),
    fc.constantFrom<[string, string]>(['[', ']'], ['{"a":', '}'], ['[{"__proto__":', '}]']),
  )
  .map(([depth, brackets]) => nested(depth, brackets));

/** JSON for numbers that no double holds. */
export const tooLarge = fc.constantFrom('1e999', '-1e999', `1${'0'.repeat(400)}`);

const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());

/** JSON of any type but those that are named. */
function jsonBut(...types: ('string' | 'number' | 'boolean' | 'object')[]): Arbitrary<string> {
  const all = {
    string: nastyText.map(asJson),
    number: number.map(asJson),
    boolean: fc.boolean().map(asJson),
    object: fc.dictionary(nastyText, fc.jsonValue(), { maxKeys: 4 }).map(asJson),
    null: fc.constant('null'),
    array: fc.array(fc.jsonValue(), { maxLength: 4 }).map(asJson),
  };
  const others = Object.entries(all).filter(([type]) => !types.some((own) => own === type));
  return fc.oneof(...others.map(([, arbitrary]) => arbitrary));
}

/** No kind of what is leased: fast-check takes `key` for a nasty text, too. */
const nastyName = nastyText.filter((text) => text !== 'key');

const noText = jsonBut('string');
const textThat = (isWrong: (text: string) => boolean) => nastyText.filter(isWrong).map(asJson);
const notAmong = (...known: string[]) =>
  fc.oneof(
    noText,
    textThat((text) => !known.includes(text)),
    fc.constantFrom(...known.map((name) => asJson(name.toLowerCase().concat(' ')))),
  );
const wrongCount = fc.oneof(
  jsonBut('number'),
  fc.constantFrom('0', '-1', '0.5', '1.5', '9007199254740993', '1e300'),
);

const WRONG_PARTS = [
  ...['"more":1', '"__proto__":{}', '"asset_uuid":""', '"asset_uuid":null', '"source":{"more":1}'],
  ...['"required_capabilities":"a"', '"required_capabilities":[1]'],
];
const WRONG_RUNNER_PARTS = [
  ...['"more":1', '"__proto__":{}', '"host":"X"', '"tags":"a"', '"runners":[1]', '"max_tries":0'],
  ...['"workspace_id":"x"', '"workflows":"a"', '"data":[]', '"access_token":1'],
];

/** Lists of jobs of which one is like this, and some that are no such lists. */
function jobsOf(...jobs: readonly string[]): Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...jobs).map((job) => `[${job}]`),
    fc.constantFrom('[]', 'null', '"a"', '1', '{}', '{"0":{"job_type":"a"},"length":1}'),
  );
}

/** JSON that a field of a type must not have, in a body. */
export const WRONG: Readonly<Record<FieldType, Arbitrary<string>>> = {
  key: fc.oneof(
    noText,
    fc.constantFrom('', '\0', 'a\nb', '\u0085', '\ud800', 'a\udfff', 'x'.repeat(513)).map(asJson),
  ),
  exact: fc.oneof(noText, nastyName.map(asJson)),
  text: noText,
  name: fc.oneof(noText, fc.constant('""')),
  host: notAmong('SELF', 'ASKUI'),
  workspace: fc.oneof(noText, nastyText.map(asJson)),
  count: fc.oneof(wrongCount, fc.constantFrom('2', '9')),
  seconds: fc.oneof(wrongCount, fc.constantFrom('2592001', '31536000')),
  flag: jsonBut('boolean'),
  status: notAmong('PASSED', 'FAILED', 'CANCELED'),
  object: jsonBut('object'),
  // A job's type owns one patch, which has to be there.
  result: fc.oneof(
    jsonBut('object'),
    jsonBut('object').map((json) => `{"facts_patch":${json}}`),
    fc.constantFrom('{}', '{"derived_patch":{}}', '{"facts_patch":{},"derived_patch":{}}'),
    fc.constant('{"facts_patch":{},"warnings":"none"}'),
    fc.constant('{"__proto__":{"facts_patch":{}}}'),
  ),
  amount: wrongCount,
  jobs: fc.oneof(
    jobsOf('1', 'null', '[]', '{}', '{"job_type":""}', '{"job_type":1}', '{"__proto__":{}}'),
    jobsOf(...WRONG_PARTS.map((part) => `{"job_type":"a",${part}}`)),
  ),
  runnerJobs: jobsOf('1', '[]', ...WRONG_RUNNER_PARTS.map((part) => `{${part}}`)),
  tokenName: fc.oneof(
    noText,
    fc.constantFrom('', ' ', 'a b', 'a\0', '\u00e9', '\ud800', 'x'.repeat(65)).map(asJson),
  ),
};

/** What a parameter of a type must not be, in a query. */
export const WRONG_PARAMETER: Readonly<Partial<Record<FieldType, Arbitrary<string>>>> = {
  key: fc.constantFrom('', '\0', 'a\nb', '\u007f', 'x'.repeat(513)),
  exact: nastyName,
  name: fc.constant(''),
  host: nastyText,
  workspace: nastyText.filter((text) => text !== ''),
  count: fc.oneof(
    fc.constantFrom('', '0', '-1', '+1', '1.5', '0x10', '1e3', ' 1', '01', '1 '),
    nastyText.filter((text) => !/^[1-9]\d*$/.test(text)),
  ),
};
