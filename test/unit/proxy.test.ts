import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { proxyFor } from '../../src/http/proxy.ts';

const PROXY = { HTTPS_PROXY: 'http://proxy:3128' };
const asItIs = (secret: string) => secret;
const proxyOf = (url: string, env: Record<string, string> = PROXY) =>
  proxyFor(new URL(url), env, asItIs)?.url.origin;

describe('what needs no proxy', () => {
  test.each([
    'http://service.test/',
    'https://localhost/',
    'https://a.localhost/',
    'https://127.0.0.1:8443/',
    'https://127.3.2.1/',
    'https://[::1]/',
    'http://127.0.0.1/',
  ])('%s', (url) => {
    expect(proxyOf(url, { ...PROXY, HTTP_PROXY: 'http://other', ALL_PROXY: 'http://third' })).toBe(
      undefined,
    );
  });

  test('is all where none is named', () => {
    expect(proxyOf('https://service.test/', {})).toBe(undefined);
    expect(proxyOf('https://service.test/', { HTTPS_PROXY: '', HTTP_PROXY: 'http://x' })).toBe(
      undefined,
    );
  });
});

describe('NO_PROXY', () => {
  test.each<[string, string, boolean]>([
    ['*', 'https://service.test/', true],
    ['service.test', 'https://service.test/', true],
    ['SERVICE.test', 'https://service.test/', true],
    ['.service.test', 'https://service.test/', true],
    ['*.service.test', 'https://service.test/', true],
    ['service.test.', 'https://service.test/', true],
    ['service.test', 'https://service.test./', true],
    ['test', 'https://a.service.test/', true],
    ['a, service.test b', 'https://service.test/', true],
    ['service.test:443', 'https://service.test/', true],
    ['service.test:8443', 'https://service.test:8443/', true],
    ['service.test:8443', 'https://service.test/', false],
    ['ervice.test', 'https://service.test/', false],
    ['a.service.test', 'https://service.test/', false],
    ['', 'https://service.test/', false],
    [' , ', 'https://service.test/', false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['2.3', 'https://10.1.2.3/', false],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/16', 'https://10.1.2.3/', false],
    ['0.0.0.0/0', 'https://10.1.2.3/', true],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
    ['10.0.0.0/8', 'https://service.test/', false],
    ['2001:db8::1', 'https://[2001:db8::1]/', true],
    ['[2001:db8::1]', 'https://[2001:db8::1]/', true],
    ['[2001:db8::1]:8443', 'https://[2001:db8::1]:8443/', true],
    ['[2001:db8::1]:8443', 'https://[2001:db8::1]/', false],
    ['2001:db8::/32', 'https://[2001:db8::1]/', true],
    ['10.0.0.0/8', 'https://[2001:db8::1]/', false],
  ])('of %j and %s: %j', (list, url, isException) => {
    expect(proxyOf(url, { ...PROXY, NO_PROXY: list })).toBe(
      isException ? undefined : 'http://proxy:3128',
    );
  });
});

test('the small letters come first, and the one for https', () => {
  const env = {
    ALL_PROXY: 'http://d',
    all_proxy: 'http://c',
    HTTPS_PROXY: 'http://b',
    https_proxy: 'http://a',
  };
  expect(proxyOf('https://service.test/', env)).toBe('http://a');
  expect(proxyOf('https://service.test/', { ...env, https_proxy: '' })).toBe('http://b');
  const no = { no_proxy: 'service.test', NO_PROXY: 'other.test' };
  expect(proxyOf('https://service.test/', { ...PROXY, ...no })).toBe(undefined);
  expect(proxyOf('https://other.test/', { ...PROXY, ...no })).toBe('http://proxy:3128');
});

test('a password is told as it may be seen, and is in no URL', () => {
  const told: string[] = [];
  const remember = (secret: string) => {
    told.push(secret);
    return secret;
  };
  const env = { HTTPS_PROXY: 'me:p%C3%A4ss%2Fword@proxy:3128' };
  const proxy = proxyFor(new URL('https://service.test/'), env, remember);
  const basic = Buffer.from('me:päss/word').toString('base64');
  expect(proxy?.authorization).toBe(`Basic ${basic}`);
  expect(proxy?.url.href).toBe('http://proxy:3128/');
  expect(told).toEqual(expect.arrayContaining(['päss/word', 'p%C3%A4ss%2Fword', basic]));
  const alone = proxyFor(new URL('https://service.test/'), { HTTPS_PROXY: 'me@proxy' }, asItIs);
  expect(alone?.authorization).toBe(`Basic ${Buffer.from('me:').toString('base64')}`);
});

test.each(['socks5://proxy:1080', 'ftp://proxy', 'http://', 'http://a b', 'http://proxy:99999'])(
  '%s is refused rather than gone around',
  (HTTPS_PROXY) => {
    expect(() => proxyOf('https://service.test/', { HTTPS_PROXY })).toThrow(Failure);
    expect(proxyOf('https://localhost/', { HTTPS_PROXY })).toBe(undefined);
  },
);
