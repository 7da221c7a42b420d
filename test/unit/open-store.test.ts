import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/open-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const options = { env: {}, remember: (secret: string) => secret };

test.each([
  'mysql://me:s3cret@h/db',
  'postgresql+psycopg://h/db',
  'postgres:/h',
  ':memory:',
  'file:x',
])('%s is no database of ours, and no file of this name is made', async (location) => {
  const before = readdirSync('.');
  const opening = openStore({ location, ...options });
  await expect(opening).rejects.toMatchObject({
    code: 'usage',
    message: expect.not.stringContaining('s3cret'),
  });
  expect(readdirSync('.')).toEqual(before);
});

test('any other name is a file', async () => {
  const directory = temporaryDirectory();
  for (const name of ['a.db', 'b c', 'd']) {
    await (await openStore({ location: join(directory, name), ...options })).close();
  }
  expect(readdirSync(directory)).toEqual(expect.arrayContaining(['a.db', 'b c', 'd']));
});
