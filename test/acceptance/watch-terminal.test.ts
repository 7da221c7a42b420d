import { describe, expect, test } from 'vitest';
import { until } from '../support/exec-host.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startWatching } from '../support/watching-person.ts';

/** What a row shows, behind its mark. */
async function rowOf({ screen }: { screen(): Promise<string> }, id: string) {
  const line = (await screen()).split('\n').find((text) => text.slice(2).startsWith(`${id} `));
  return line?.slice(2);
}

async function withLeases(...ttls: readonly (readonly [string, string])[]): Promise<Sandbox> {
  const sandbox = createSandbox();
  for (const [id, ttl] of ttls) await sandbox.json(['lease', id, '--ttl', ttl]);
  return sandbox;
}

describe('on a terminal', () => {
  test('bars run down, and leases come, are renewed, and go', async () => {
    const sandbox = await withLeases(['first', '20s']);
    const person = await startWatching(sandbox, '');
    await person.sees(/^This machine's leases\n1 held +by attention\n {2}LEASE +LEFT STATE/);
    const full = await until(async () => countOf('█', await rowOf(person, 'first')), 'a bar');
    await until(async () => {
      const bar = countOf('█', await rowOf(person, 'first'));
      return bar !== undefined && bar < full;
    }, 'less of it');
    await sandbox.json(['lease', 'second', '--ttl', '1h']);
    await person.sees(/ second .* 59m 5\ds held/);
    await sandbox.json(['extend', 'first', '--ttl', '2h']);
    await person.sees(/ first .* 1h 59m held .* \ds /);
    await sandbox.json(['complete', 'second']);
    await person.sees(/ second +done/);
    await person.sees(/1 held {2}1 finished/);
  });

  test('what needs attention comes first', async () => {
    const sandbox = await withLeases(['a', '1h'], ['z', '4s']);
    const person = await startWatching(sandbox, '--all');
    await person.sees(/> a .* held.*\n {2}z .* held/);
    // What was chosen stays so; without that it would be the first one.
    person.press('k');
    await person.sees(/ z .* ending.*\n> a .* held/);
    await person.sees(/1 ended {2}1 held[\s\S]* z +░+ +expired.*\n> a .* held/);
  });

  test.each([40, 80, 140, 300])(
    'in %i columns no line is too wide, also when that changes',
    async (columns) => {
      const sandbox = await withLeases(['deploy-prod', '1h'], ['日本語のキー'.repeat(30), '1h']);
      const person = await startWatching(sandbox, '', { columns });
      await person.sees(/2 held/);
      await until(() => rowOf(person, 'deploy-prod'), 'a row');
      for (const width of [columns, 61]) {
        person.resize(width);
        await until(async () => {
          const lines = (await person.screen()).split('\n');
          // Keys stand in the last line, which is the fortieth.
          return lines.length === 40 && lines[39]?.includes('quit') && lines[2]?.includes('STATE');
        }, `all of it in ${width} columns`);
        await until(() => rowOf(person, 'deploy-prod'), 'a row');
      }
    },
  );

  test('nothing is written while nothing moves', async () => {
    const person = await startWatching(createSandbox(), '--all');
    await person.sees(/There are no leases\./);
    const before = person.sent().length;
    person.press('x');
    // It was looked at again, as the answer to the next key shows.
    person.press('?');
    await person.sees(/q, ctrl-c/);
    const sent = person.sent().slice(before);
    expect(sent.indexOf('Keys')).toBeLessThan(12);
  });

  test('what acts on a terminal does not', async () => {
    const id = 'a\u202eb\u2066c 🐈';
    const sandbox = await withLeases([id, '1h']);
    const person = await startWatching(sandbox, '');
    await person.sees(/> a\\u202eb\\u2066c 🐈 /);
    expect(person.sent()).not.toMatch(/[\u202e\u2066]/);
  });

  test('without colors there are none, and all is told', async () => {
    const sandbox = await withLeases(['k', '3s']);
    const person = await startWatching(sandbox, '', { env: 'NO_COLOR=1' });
    await person.sees(/ k .* ending/);
    await person.sees(/ k .* expired/);
    const marks = person
      .sent()
      .split('\u001b')
      .filter((part) => /^\[[\d;]*m/.test(part));
    expect(marks).toEqual([]);
    const colored = await startWatching(sandbox, '');
    await colored.sees(/ k .* expired/);
    // Red.
    expect(colored.sent()).toContain('\u001b[31m░');
  });

  test('a service that is not there is waited for', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'gone', 'http://127.0.0.1:1', 'token', 'leasectl');
    const person = await startWatching(sandbox, '--all --profile gone --timeout 1s');
    await person.sees(/^All leases of gone\nNo contact with gone: /);
    person.press('q');
    expect(await person.leaves()).toBe(0);
  });

  test('that shows lines only, it tells lines', async () => {
    const sandbox = await withLeases(['k', '5s']);
    const person = await startWatching(sandbox, '', { env: 'TERM=dumb' });
    await person.sees(/\n\d{4}-\d\d-\d\d [\d:]+ \+00:00 {2}seen {2}k {2}\(held by .*, \d+s left\)/);
    await person.sees(/ {2}ending {2}k .*\n.* {2}expired {2}k /);
    expect(person.sent()).not.toContain('\u001b[?1049h');
  });
});

function countOf(mark: string, text: string | undefined): number | undefined {
  return text?.includes(mark) ? text.split(mark).length - 1 : undefined;
}
