import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { urlOf } from '../../src/http/request.ts';
import { parsePlace } from '../../src/request-path.ts';

const BASE = new URL('https://media.example.com/api/v1');

/** Where it would go; undefined when it is refused. */
function destination(text: string, base = BASE): string | undefined {
  try {
    return urlOf(base, parsePlace(text, base)).href;
  } catch (error) {
    if (error instanceof Failure && error.code === 'usage') return undefined;
    throw error;
  }
}

test.each([
  ['/', 'https://media.example.com/api/v1/'],
  ['/jobs?limit=5&x=', 'https://media.example.com/api/v1/jobs?limit=5&x='],
  ['/jobs/j%2F1/claim', 'https://media.example.com/api/v1/jobs/j%2F1/claim'],
  [
    '/größe/..x/.y./%2e%2e%2e',
    'https://media.example.com/api/v1/gr%C3%B6%C3%9Fe/..x/.y./%2e%2e%2e',
  ],
  ['/a//b', 'https://media.example.com/api/v1/a//b'],
  [
    '/x?u=https://evil.example/..',
    'https://media.example.com/api/v1/x?u=https%3A%2F%2Fevil.example%2F..',
  ],
  ['/@evil.example/:8080', 'https://media.example.com/api/v1/@evil.example/:8080'],
  [
    'https://media.example.com/api/v1/jobs?limit=5',
    'https://media.example.com/api/v1/jobs?limit=5',
  ],
])('%s goes to %s', (text, expected) => {
  expect(destination(text)).toBe(expected);
});

test.each([
  '',
  'jobs',
  '?limit=5',
  '//evil.example/x',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  ' /jobs',
  '/a b',
  '/a\u2028b',
  '/jobs#part',
  '/..',
  '/../admin',
  '/a/../../admin',
  '/a/.',
  '/%2e%2E/admin',
  '/.%2e/admin',
  '/..%2fadmin',
  '/a%5c..%5cadmin',
  '/%zz',
  '/100%',
  '@evil.example',
  'https:/jobs',
  'file:///etc/passwd',
  'https://evil.example/api/v1/jobs',
  'https://media.example.com/api/v1',
  'https://media.example.com/api/v1x/jobs',
  'https://media.example.com/api/v2/jobs',
  'https://media.example.com/api/v1/../v2',
  'https://media.example.com@evil.example/api/v1/jobs',
  'https://u:p@media.example.com/api/v1/jobs',
  'https://media.example.com:8443/api/v1/jobs',
  'http://media.example.com/api/v1/jobs',
])('%j is refused', (text) => {
  expect(destination(text)).toBeUndefined();
});

test('a URL is refused without repeating it: it may hold a secret', () => {
  expect(() => parsePlace('https://u:canary@x.example/?token=canary', BASE)).toThrow(
    /^PATH is not below https:\/\/media\.example\.com\/api\/v1\.$/,
  );
});

test('the embedded service has no address, but paths', () => {
  expect(parsePlace('/jobs', undefined).path).toBe('/jobs');
  expect(() => parsePlace('https://x.example/jobs', undefined)).toThrow(Failure);
});

describe('whatever is given stays below the base URL', () => {
  const pieces = fc.constantFrom(
    ...[
      '/',
      '//',
      '\\',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '@',
      ':',
      '?',
      '#',
      ';',
      'a',
      'evil.example',
    ],
    ...['https:', 'https://', '\t', '\n', '\u00a0', 'media.example.com', '/api/v1', '%00', 'é'],
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join('')),
    fc.array(pieces, { maxLength: 9 }).map((parts) => `/${parts.join('')}`),
    fc.array(pieces, { maxLength: 9 }).map((parts) => `${BASE.href}/${parts.join('')}`),
  );

  test.each(['https://media.example.com/api/v1', 'https://media.example.com'])('%s', (base) => {
    let sent = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const href = destination(text, new URL(base));
        if (href === undefined) return;
        sent += 1;
        // Once more parsed, as whoever sends it does.
        const url = new URL(href);
        expect(url.href).toBe(href);
        expect(url.href.startsWith(`${base}/`)).toBe(true);
        expect(url.username).toBe('');
        expect(decodeURIComponent(url.pathname).split(/[/\\]/)).not.toContain('..');
      }),
      { numRuns: 3_000 },
    );
    expect(sent).toBeGreaterThan(100);
  });
});
