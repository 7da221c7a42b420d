import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Redactor } from '../../src/domain/redactor.ts';

const secret = fc.oneof(
  fc.stringMatching(/^lease_[0-9a-f]{4,8}$/),
  fc.stringMatching(/^[ab]{4,6}$/),
  fc.string({ minLength: 4, maxLength: 8 }),
);
const written = [
  (text: string) => text,
  encodeURIComponent,
  (text: string) => JSON.stringify(text),
  (text: string) => JSON.stringify(JSON.stringify(text)),
];

test('many secrets are taken out as few are', () => {
  const secrets = fc.uniqueArray(secret, { minLength: 1, maxLength: 8 });
  const words = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.string({ maxLength: 5 })));
  fc.assert(
    fc.property(secrets, words, (few, parts) => {
      const [alone, many] = [new Redactor(), new Redactor()];
      for (const one of few) alone.add(one);
      for (const one of few) many.add(one);
      for (let more = 0; more < 100; more += 1) many.add(`another_secret_${more}`);
      const text = parts
        .map(
          ([at, form, between]) => (written[form] ?? String)(few[at % few.length] ?? '') + between,
        )
        .join('');
      expect(many.clean(text)).toBe(alone.clean(text));
    }),
  );
});

test('1,000 secrets and 1,000 texts take no second', () => {
  const redactor = new Redactor();
  const handles = Array.from({ length: 1_000 }, (_, index) => `lease_${index}_`.padEnd(38, 'f'));
  for (const handle of handles) redactor.add(handle);
  const begun = performance.now();
  for (const handle of handles) {
    expect(redactor.clean(`https://h/p?lease_id=${handle}&key=build/release-7`)).not.toContain(
      'ff',
    );
  }
  expect(performance.now() - begun).toBeLessThan(1_000);
});
