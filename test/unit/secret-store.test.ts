import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createSecretStore,
  StoredSecret,
  sourceOf,
  tailOf,
} from '../../src/secrets/secret-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const SECRET = 'sk_live_0123456789abcdef';

/** A program that answers anything, and so shows that it was asked. */
function storeWith(env: Readonly<Record<string, string>>) {
  const program = join(temporaryDirectory(), 'keyring.cjs');
  writeFileSync(program, `console.log('{"type":"done","value":"from the keyring"}');`);
  return createSecretStore({ env, withhold: [], newId: () => 'new-id', program, timeout: 20_000 });
}

test('a secret in the file is itself', async () => {
  const store = storeWith({});
  expect(await store.keep(SECRET, 'file')).toEqual({ stored: SECRET, fellBack: false });
  expect(await store.read(SECRET)).toBe(SECRET);
  await store.forget(SECRET);
  await store.forget({ command: 'exit 1' });
});

test('without a message bus there is no keyring, and nothing is started', async () => {
  const directory = temporaryDirectory();
  const store = storeWith({ XDG_RUNTIME_DIR: directory });
  const why = 'there is no D-Bus session bus, as over ssh, in a container and with sudo';
  expect(await store.keep(SECRET, undefined)).toEqual({ stored: SECRET, fellBack: true, why });
  expect(await store.probe()).toEqual({ available: false, name: 'Secret Service', why });
  await expect(store.keep(SECRET, 'keyring')).rejects.toMatchObject({
    code: 'usage',
    message: `There is no keyring here: ${why}.`,
    hint: 'Take --storage file.',
  });
  await expect(store.read({ keyring: 'x' }, 'prod')).rejects.toMatchObject({
    code: 'unauthorized',
    message: `There is no keyring here: ${why}.`,
    hint: 'Set LEASECTL_TOKEN, or store the token in a file: leasectl profile edit prod --storage file --token-stdin',
  });
  await expect(store.forget({ keyring: 'x' })).rejects.toMatchObject({ code: 'unavailable' });

  mkdirSync(join(directory, 'bus'));
  expect(await store.read({ keyring: 'x' })).toBe('from the keyring');
});

test('of a secret only a small part is shown', () => {
  expect(tailOf('0123456789abcdef')).toBe('…cdef');
  expect(tailOf('0123456789abcde')).toBeUndefined();
  expect(tailOf('')).toBeUndefined();
});

test('a stored secret says where it is', () => {
  expect(sourceOf('x')).toBe('file');
  expect(sourceOf({ keyring: 'x' })).toBe('keyring');
  expect(sourceOf({ command: 'x' })).toBe('command');
});

test.each(['', {}, { keyring: '' }, { command: '' }, { command: 1 }, 1, null, [SECRET]])(
  'this is no stored secret: %j',
  (value) => {
    expect(StoredSecret.safeParse(value).success).toBe(false);
  },
);
