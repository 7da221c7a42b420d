import { describe, expect, test } from 'vitest';
import { until } from '../support/exec-host.ts';
import { CTRL_C } from '../support/exec-terminal.ts';
import { DOWN, RETURN } from '../support/person.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { addToken, startServe } from '../support/served.ts';
import { startWatching, type Watching } from '../support/watching-person.ts';

const ESCAPE = '\u001b';

async function withLeases(...ids: readonly string[]): Promise<Sandbox> {
  const sandbox = createSandbox();
  for (const id of ids) await sandbox.json(['lease', id, '--ttl', '1h']);
  return sandbox;
}

/** Waits until a lease is shown to be older: keys at once would count as meant for a question. */
async function aSecondLater(person: Watching, id: string): Promise<void> {
  const age = async () => new RegExp(` ${id} .* held +(\\S+)`).exec(await person.screen())?.[1];
  const before = await age();
  await until(async () => (await age()) !== before, 'the next second');
}

const WHY = 'Why is it to be broken';
const WHETHER = 'Type stuck to break its lease';

/** A question that stands on the screen for so many times. */
function asked(question: string, times: number): RegExp {
  return new RegExp(`(${question}[\\s\\S]*){${times}}`);
}

describe('keys', () => {
  test('select, sort, filter, and tell what there are', async () => {
    const person = await startWatching(await withLeases('alpha', 'beta', 'gamma'), '');
    await person.sees(/> alpha .*\n {2}beta .*\n {2}gamma /);
    person.press(`${DOWN}j`);
    await person.sees(/ alpha .*\n {2}beta .*\n> gamma /);
    person.press('k');
    await person.sees(/> beta /);
    person.press('s');
    await person.sees(/by name/);
    person.press('/et');
    await person.sees(/by name \/et \(1\)\n.*\n> beta .*\n\n[\s\S]*\/et_/);
    person.press(ESCAPE);
    await person.sees(/by name\n.*\n {2}alpha .*\n> beta /);
    person.press('?');
    await person.sees(/^Keys\n[\s\S]*no answer/);
    person.press('q');
    await person.sees(/> beta /);
    person.press('q');
    expect(await person.leaves()).toBe(0);
  });

  test('enter says what why says', async () => {
    const person = await startWatching(await withLeases('alpha'), '');
    await person.sees(/> alpha /);
    person.press(RETURN);
    await person.sees(/^alpha\nKey alpha is held by this machine/);
    await person.sees(/Next +leasectl /);
    person.press(ESCAPE);
    await person.sees(/^This machine's leases/);
  });

  test('e extends what this machine holds, and says why it cannot', async () => {
    const sandbox = await withLeases('mine');
    const other = { env: { XDG_STATE_HOME: `${sandbox.directory}/other` } };
    await sandbox.json(['lease', 'theirs', '--ttl', '1h'], other);
    const person = await startWatching(sandbox, '--all');
    await person.sees(/> mine /);
    person.press('e');
    await person.sees(/Extended mine\./);
    await person.sees(/> mine .* 59m 5\ds held +\d+s +\d+s /);
    person.press('je');
    await person.sees(/This machine holds no lease on theirs/);
  });

  test('e does so by the profile that it is held by', async () => {
    const host = createSandbox();
    await host.run(['admin', 'leases', 'list']);
    const served = await startServe(host);
    const sandbox = createSandbox();
    for (const [profile, scope] of [
      ['dev', 'keys:write'],
      ['team', 'admin'],
    ] as const) {
      const token = await addToken(host.databaseFile, profile, [scope]);
      await addProfile(sandbox, profile, served.url, token, 'leasectl');
    }
    await sandbox.json(['lease', 'mine', '--ttl', '1h', '--profile', 'dev']);
    const person = await startWatching(sandbox, '--all --profile team');
    await person.sees(/> mine .* dev +/);
    person.press('e');
    await person.sees(/Extended mine\./);
  });

  test('b breaks what nobody renews, once it was asked why and whether', async () => {
    const sandbox = createSandbox();
    const other = { env: { XDG_STATE_HOME: `${sandbox.directory}/other` } };
    await sandbox.json(['lease', 'stuck', '--ttl', '1h'], other);
    const person = await startWatching(sandbox, '--all');
    await person.sees(/> stuck .* held/);
    await aSecondLater(person, 'stuck');
    person.press('b');
    await person.answers(asked(WHY, 1), 'nobody is there');
    await person.answers(asked(WHETHER, 1), '');
    await person.sees(/> stuck .* held[\s\S]*The lease on stuck was kept\./);
    await aSecondLater(person, 'stuck');
    person.press('b');
    await person.answers(asked(WHY, 2), '');
    await person.sees(/> stuck .* held[\s\S]*The lease on stuck was kept\./);
    // Ctrl-C leaves what is asked, and what is observed, and not what is watched.
    await aSecondLater(person, 'stuck');
    person.press('b');
    await person.sees(asked(WHY, 3));
    person.press(CTRL_C);
    await person.sees(/> stuck .* held[\s\S]*Nothing was done\./);
    await aSecondLater(person, 'stuck');
    person.press('b');
    await person.answers(asked(WHY, 4), 'nobody is there');
    await person.answers(asked(WHETHER, 2), 'stuck');
    await person.sees(/no renewal so far, 5\ds to go/);
    person.press(`bq${CTRL_C}`);
    await person.sees(/> stuck .* held[\s\S]*Nothing was done\./);
    await aSecondLater(person, 'stuck');
    person.press('q');
    expect(await person.leaves()).toBe(0);
    expect(await person.modes()).toBe('same');
    const [lease] = Object(await sandbox.json(['admin', 'leases', 'list'])).leases;
    expect(lease).toMatchObject({ id: 'stuck', state: 'held' });
  });
});
