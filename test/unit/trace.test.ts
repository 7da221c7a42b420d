import { expect, test } from 'vitest';
import { Redactor } from '../../src/domain/redactor.ts';
import { createTrace } from '../../src/http/trace.ts';

const CANARY = 'canary-1234';

function setUp() {
  const redactor = new Redactor();
  redactor.add(CANARY);
  const lines: string[] = [];
  const clean = (text: string) => redactor.clean(text);
  const trace = createTrace({ write: (more) => lines.push(...more), clean });
  const request = { method: 'GET', url: new URL('https://h/p'), headers: {}, body: '' };
  return { trace, request, lines };
}

test('what is known to be secret is in no line, also of an error', () => {
  const { trace, request, lines } = setUp();
  const url = new URL(`https://h/${CANARY}?note=${CANARY}`);
  const ended = trace({ ...request, url, headers: { 'x-note': CANARY }, body: `"${CANARY}"` });
  ended(new Error(`not ${CANARY}`));
  ended({ status: 200, headers: { 'x-note': CANARY }, body: `of ${CANARY}` });
  expect(lines.map((line) => line.replace(/\d+ ms/, 'ms'))).toEqual([
    '> GET https://h/***?note=*** (#1)',
    '> x-note: ***',
    '>',
    '> "***"',
    '* no answer: Error: not *** (#1, ms)',
    '< 200 OK (#1, ms)',
    '< x-note: ***',
    '<',
    '< of ***',
  ]);
});

test('a body nested however deep is shown', () => {
  const { trace, request, lines } = setUp();
  trace(request)({ status: 200, headers: {}, body: '['.repeat(60_000) });
  expect(lines.at(-2)).toBe(`< ${'['.repeat(8 * 1024)}`);
  expect(lines.at(-1)).toBe('< … (of 60000 characters in all)');
});
