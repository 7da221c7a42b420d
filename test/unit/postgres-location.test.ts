import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseLocation } from '../../src/store/postgres/location.ts';
import { findPassword, inPassfile } from '../../src/store/postgres/passfile.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const FILE = import.meta.filename;

describe('the URL of a database', () => {
  test.each([
    ['postgres://', { host: undefined, port: undefined, user: undefined, database: undefined }],
    [
      'postgresql://me:p%40ss@db.example.com:5433/leases',
      { host: 'db.example.com', port: 5433, user: 'me', password: 'p@ss', database: 'leases' },
    ],
    ['postgres://[::1]/a%2Fb', { host: '::1', database: 'a/b' }],
    ['postgres:///leases?host=/var/run/postgresql', { host: '/var/run/postgresql' }],
    ['postgres://h/d?sslmode=disable', { tls: false }],
    ['postgres://h/d', { tls: undefined, bindsChannel: false }],
    ['postgres://h/d?sslmode=require', { tls: { rejectUnauthorized: false } }],
    ['postgres://h/d?sslmode=verify-full', { tls: {} }],
    ['postgres://h/d?sslmode=verify-full&sslrootcert=system', { tls: {} }],
    [
      `postgres://h/d?sslrootcert=${FILE}`,
      { tls: { ca: expect.stringContaining('parseLocation') } },
    ],
    [
      `postgres://h/d?sslmode=require&sslrootcert=${FILE}`,
      { tls: { ca: expect.any(String), checkServerIdentity: expect.any(Function) } },
    ],
    [`postgres://h/d?sslmode=verify-full&channel_binding=require`, { bindsChannel: true }],
  ])('%s', (url, expected) => {
    expect(parseLocation(url)).toMatchObject(expected);
  });

  test.each([
    ['http://me:secret@h/d', 'cannot be read'],
    ['postgres://me:secret@h:port/d', 'cannot be read'],
    ['postgres://me:secret%@h/d', '% that stands for nothing'],
    ['postgres://me:secret@h/d?sslmode=maybe', 'sslmode: maybe'],
    ['postgres://me:secret@h/d?sslmode=verify-ca', 'authority of your own'],
    ['postgres://me:secret@h/d?pool=9', 'unknown parameter: pool'],
    ['postgres://me:secret@h/d?sslcert=/no/such/file', '/no/such/file'],
  ])('is refused, without its password: %s', (url, message) => {
    expect(() => parseLocation(url)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
    );
    expect(() => parseLocation(url)).not.toThrow(/secret/);
  });

  test('is not in the label with its user and its password', () => {
    const { label } = parseLocation('postgres://me:secret@h:1/d');
    expect(label).toBe('PostgreSQL at h:1/d');
  });
});

describe('a password', () => {
  const wanted = { host: 'h', port: 5432, database: 'd', user: 'u' };

  test.each([
    ['h:5432:d:u:secret', 'secret'],
    ['# h:5432:d:u:no\n\nh:5432:x:u:no\n*:*:*:u:first\nh:5432:d:u:second', 'first'],
    ['h:5432:d:u:a\\:b\\\\c', 'a:b\\c'],
    ['h:5432:d:u:', ''],
    ['h:5432:d:u', undefined],
    ['h:5433:d:u:no', undefined],
    ['', undefined],
  ])('of the file %j is %j', (text, password) => {
    expect(inPassfile(text, wanted)).toBe(password);
  });

  test('of a socket is that of localhost', () => {
    expect(inPassfile('localhost:*:*:*:x', { ...wanted, host: '/run' })).toBe('x');
  });

  test('is in PGPASSWORD, else in a file that is its owner’s alone', () => {
    const directory = temporaryDirectory();
    const file = join(directory, '.pgpass');
    expect(findPassword({ HOME: directory }, wanted)).toBeUndefined();
    writeFileSync(file, '*:*:*:*:filed', { mode: 0o600 });
    expect(findPassword({ HOME: directory }, wanted)).toBe('filed');
    expect(findPassword({ PGPASSFILE: file }, wanted)).toBe('filed');
    expect(findPassword({ PGPASSFILE: file, PGPASSWORD: 'given' }, wanted)).toBe('given');
    chmodSync(file, 0o640);
    expect(findPassword({ PGPASSFILE: file }, wanted)).toBeUndefined();
  });
});
