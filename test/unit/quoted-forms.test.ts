import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patternOf } from '../../src/domain/quoted-forms.ts';
import { SECRETS, waysToWrite } from '../support/canaries.ts';

const VISIBLE = fc.string({ minLength: 4, maxLength: 20, unit: 'grapheme-ascii' });
const hidden = (text: string, secret: string) => text.replace(patternOf(secret), '***');

test.each([SECRETS.bearer, 'pass word é/ü+😀"\\', 'line\nof\ttext'])(
  '%s is found however it is written',
  (secret) => {
    for (const once of waysToWrite(secret)) {
      for (const text of [once, ...waysToWrite(once)]) {
        const begin = secret.slice(0, 4);
        expect(text).toContain(begin);
        expect(hidden(`a ${text} b`, secret), text).not.toContain(begin);
      }
    }
  },
);

test('what is quoted leaves nothing but what stood around it', () => {
  fc.assert(
    fc.property(VISIBLE, (secret) => {
      expect(hidden(`<${secret}>`, secret)).toBe('<***>');
      expect(hidden(encodeURIComponent(secret), secret)).toBe('***');
      expect(hidden(JSON.stringify(`a${secret}z`), secret)).toMatch(/^"a\*\*\*z"$/);
    }),
  );
});

test('nothing else is found', () => {
  fc.assert(
    fc.property(VISIBLE, VISIBLE, (secret, text) => {
      if (!text.includes(secret)) expect(hidden(`${text} ${secret}`, secret)).toBe(`${text} ***`);
    }),
  );
});

test.each(['\\', '%5c', '&amp;', '%25', '&#'])('a megabyte of %j takes no time', (piece) => {
  const text = piece.repeat(200_000);
  const begun = performance.now();
  expect(hidden(text, 'a\\b"c&d%e')).toBe(text);
  expect(hidden(text, '"\\b"c&d%e')).toBe(text);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
