import fc, { type Arbitrary } from 'fast-check';
import { type FieldType, type RawRequest, rawOf, type Template } from './request.ts';
import { NASTY_TEXTS, nastyText } from './values.ts';

/*
 * Requests that are right, and strange: all that is free in them is what nobody thinks of.
 */

const object = fc.dictionary(nastyText, fc.jsonValue({ maxDepth: 8 }), { maxKeys: 5 });
const deepest = fc.constant(JSON.parse(`${'{"__proto__":'.repeat(200)}1${'}'.repeat(200)}`));

/** What a field may be that is free. */
const STRANGE: Readonly<Partial<Record<FieldType, Arbitrary<unknown>>>> = {
  text: nastyText,
  name: nastyText.filter((text) => text !== ''),
  object: fc.oneof(object, deepest),
  result: fc.record(
    { facts_patch: fc.oneof(object, deepest), warnings: fc.array(nastyText), metrics: object },
    { requiredKeys: ['facts_patch'] },
  ),
  flag: fc.boolean(),
  seconds: fc.constantFrom(1, 60, 2_592_000),
};

const KEYS = NASTY_TEXTS.filter(
  (text) => text !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text) && text.length <= 512,
);

/** Bytes that Node lets into a header. */
const headerText = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 })
  .map((text) => `k${text.trim()}`);

/** @param free the name of what is there for the taking, and so may be called anything */
export function strange(template: Template, free: string): Arbitrary<RawRequest> {
  const request = rawOf(template);
  const fields = template.body ?? [];
  const changed = fc.record(
    Object.fromEntries(
      fields.flatMap(({ name, type, value }) => {
        if (type === 'key' && value === free) return [[name, fc.constantFrom(...KEYS, free)]];
        const others = name === 'runner_id' ? undefined : STRANGE[type];
        return others ? [[name, others]] : [];
      }),
    ),
  );
  return fc.tuple(changed, headerText).map(([values, key]) => ({
    ...request,
    headers: { ...request.headers, 'idempotency-key': `${free} ${key}` },
    body:
      template.body &&
      new TextEncoder().encode(
        JSON.stringify({
          ...Object.fromEntries(fields.map(({ name, value }) => [name, value])),
          ...values,
        }),
      ),
  }));
}
