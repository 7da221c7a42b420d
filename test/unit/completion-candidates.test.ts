import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readQuestion, SHELLS } from '../../src/completion/answer.ts';
import {
  complete,
  type Reply,
  type Sources,
  type Wanted,
} from '../../src/completion/candidates.ts';
import { readSurface } from '../../src/completion/surface.ts';
import { SCOPES } from '../../src/engine/access.ts';

const read = (file: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8'));
const manifest = read('oclif.manifest.json');
const surface = readSurface(manifest, read('package.json'));

/** What is offered where the words end, and what was looked for. */
async function offered(...words: string[]): Promise<{ reply: Reply; wanted: unknown[] }> {
  const wanted: unknown[] = [];
  const sources: Sources = {
    held: async (what: Wanted) => {
      wanted.push(what);
      return [{ value: 'key 1' }, { value: '-key' }];
    },
    profiles: async (service, areStored) => {
      wanted.push({ service, areStored });
      return [{ value: 'prod', description: 'onceonly' }];
    },
  };
  const line = { words: words.slice(0, -1), current: words.at(-1) ?? '' };
  return { reply: await complete(line, surface, sources), wanted };
}

async function valuesAt(...words: string[]): Promise<string[]> {
  const { reply } = await offered(...words);
  expect(reply.kind).toBe('words');
  return reply.kind === 'words' ? reply.candidates.map(({ value }) => value) : [];
}

describe('commands', () => {
  test('commands and topics stand at the beginning, with what they do', async () => {
    const { reply } = await offered('');
    expect(reply).toMatchObject({
      candidates: expect.arrayContaining([
        { value: 'status', description: 'Show the state of a key' },
        { value: 'jobs', description: expect.stringContaining('Retaia') },
        { value: 'completion', description: expect.any(String) },
      ]),
    });
    const values = await valuesAt('');
    expect(new Set(values).size).toBe(values.length);
    expect(values).not.toContain('__complete');
  });

  test('those of a topic stand after it', async () => {
    expect(await valuesAt('admin', '')).toEqual(
      expect.arrayContaining(['jobs', 'clients', 'history']),
    );
    expect(await valuesAt('admin', 'jobs', '')).toEqual(['add']);
    expect(await valuesAt('help', 'admin', 'jobs', '')).toEqual(['add']);
  });

  test('nothing follows what is no command', async () => {
    expect(await valuesAt('nope', '')).toEqual([]);
    expect(await valuesAt('jobs', 'nope', '')).toEqual([]);
    expect(await valuesAt('--json', '')).toEqual([]);
  });

  test('a name can be one word', async () => {
    expect(await valuesAt('profile', 'show', '--resolve', '')).toEqual(
      expect.arrayContaining(['lease', 'jobs claim']),
    );
  });
});

describe('flags', () => {
  test('of a command, described, with --help', async () => {
    const { reply } = await offered('lease', '-');
    expect(reply).toMatchObject({
      candidates: expect.arrayContaining([
        { value: '--ttl', description: expect.stringMatching(/^How long the lease lasts/) },
        { value: '--profile', description: expect.any(String) },
        { value: '--help', description: expect.any(String) },
      ]),
    });
    expect(await valuesAt('-')).toEqual(['--help', '--version']);
  });

  test('given ones are not offered again, unless they may come again', async () => {
    const flags = await valuesAt('lease', 'k', '--ttl', '5m', '--meta=a=b', '--idempotent', '--');
    expect(flags).toContain('--meta');
    expect(flags).not.toContain('--ttl');
    expect(flags).not.toContain('--idempotent');
  });

  test('those that exclude one another are not offered together', async () => {
    expect(await valuesAt('jobs', 'submit', 'j', '--patch', '{}', '--')).not.toContain('--facts');
    expect(await valuesAt('jobs', 'submit', 'j', '--facts', '{}', '--')).not.toContain('--patch');
    expect(await valuesAt('result', 'k', '--raw', '--')).not.toContain('--json');
  });

  test('no value is one, and nothing after -- is', async () => {
    expect(await valuesAt('lease', 'k', '--ttl', '-')).toEqual([]);
    expect(await valuesAt('lease', 'k', '--', '-')).toEqual([]);
    expect(await valuesAt('status', '--', '-')).toEqual(['key 1', '-key']);
  });
});

describe('values', () => {
  test('of a choice, after a space or a =', async () => {
    expect(await valuesAt('profile', 'add', 'p', '--service', '')).toEqual([
      'onceonly',
      'retaia',
      'askui',
      'leasectl',
    ]);
    const { reply } = await offered('profile', 'add', 'p', '--service=on');
    expect(reply).toMatchObject({
      prefix: '--service=',
      candidates: [{ value: 'onceonly' }, {}, {}, {}],
    });
    expect(await valuesAt('completion', '')).toEqual(SHELLS);
    expect(await valuesAt('api', '')).toContain('PATCH');
  });

  test('profiles of the command’s service', async () => {
    expect(await offered('status', '--profile', '')).toMatchObject({
      wanted: [{ service: 'onceonly', areStored: false }],
      reply: { candidates: [{ value: 'prod' }] },
    });
    const { wanted } = await offered('jobs', 'claim', '--profile=');
    expect(wanted).toEqual([{ service: 'retaia', areStored: false }]);
    expect((await offered('profile', 'remove', '')).wanted).toEqual([
      { service: undefined, areStored: true },
    ]);
    expect(await valuesAt('profile', 'add', '')).toEqual([]);
  });

  test.each([
    [['status', ''], { service: 'onceonly', isHeld: false }],
    [['extend', '--profile', 'prod', ''], { service: 'onceonly', profile: 'prod', isHeld: true }],
    [['jobs', 'submit', '--json', '--', ''], { service: 'retaia', isHeld: true }],
    [['jobs', 'exec', ''], { service: 'retaia', isHeld: false }],
    [['admin', 'runner-jobs', 'cancel', ''], { service: 'askui', isHeld: false }],
    [['admin', 'leases', 'break', ''], { service: 'onceonly', isHeld: false }],
    [['admin', 'history', '--kind', 'job', ''], { service: 'retaia', isHeld: false }],
    [['admin', 'leases', 'show', '--kind=runner-job', ''], { service: 'askui', isHeld: false }],
    [['admin', 'leases', 'show', '--kind=runner_job', ''], { service: 'askui', isHeld: false }],
    [['runner-jobs', 'ping', ''], { service: 'askui', isHeld: true }],
    [['exec', '--shell', ''], { service: 'onceonly', isHeld: false }],
  ])('%j takes what the ledger holds', async (words, wanted) => {
    const found = await offered(...words);
    expect(found.wanted).toEqual([{ profile: undefined, ...wanted }]);
    // What looks like a flag would be taken for one.
    const isPastFlags = words.includes('--');
    expect(found.reply).toMatchObject({
      candidates: [{ value: 'key 1' }, ...(isPastFlags ? [{ value: '-key' }] : [])],
    });
  });

  test('scopes, one after the other', async () => {
    const add = ['admin', 'tokens', 'add', 'ci'];
    expect(await valuesAt(...add, '--scope', '')).toEqual([...SCOPES]);
    const { reply } = await offered(...add, '--scope=admin,keys:read,j');
    expect(reply).toMatchObject({ prefix: '--scope=admin,keys:read,' });
    expect(await valuesAt(...add, '--scope', 'admin,keys:read,j')).not.toContain('admin');
  });

  test('nothing stands where there is no argument', async () => {
    expect(await valuesAt('status', 'k', '')).toEqual([]);
    expect(await valuesAt('lease', 'k', '--ttl', '')).toEqual([]);
  });

  test('files are left to the shell', async () => {
    expect((await offered('admin', 'jobs', 'add', '-f', '')).reply).toEqual({
      kind: 'files',
      prefix: '',
    });
    expect((await offered('complete', 'k', '--result=@x')).reply).toEqual({
      kind: 'files',
      prefix: '--result=@',
    });
    expect(await valuesAt('complete', 'k', '--result', '{')).toEqual([]);
    expect((await offered('profile', 'import', '')).reply).toEqual({ kind: 'files', prefix: '' });
  });

  test('so is the command that exec runs', async () => {
    for (const command of [
      ['exec', 'k'],
      ['jobs', 'exec', '--next'],
      ['runner-jobs', 'exec'],
    ]) {
      expect((await offered(...command, '--', '')).reply).toEqual({ kind: 'command' });
      expect((await offered(...command, '--', 'a', '--ttl', '')).reply).toEqual({
        kind: 'command',
      });
    }
  });
});

test('every argument that is a key or a job says so, and every command on them its service', () => {
  const { commands } = Object(manifest);
  for (const [id, { args, service, flags }] of Object.entries<Record<string, object>>(commands)) {
    for (const [name, arg] of Object.entries(args ?? {})) {
      if (!/^(key|job)$/.test(name)) continue;
      expect(arg, id).toMatchObject({
        completes: expect.stringMatching(/^(held-)?(key|job|runner-job)$/),
      });
      expect(service, id).toMatch(/^(onceonly|retaia|askui|leasectl)$/);
    }
    if (flags && 'profile' in flags) expect(flags['profile'], id).toHaveProperty('completes');
  }
});

describe('what a shell is told', () => {
  const reply: Reply = {
    kind: 'words',
    prefix: '--x=',
    candidates: [
      { value: 'a\nb', description: 'one\ntwo \u001b[31m' },
      { value: 'nul\0' },
      { value: 'tab\t' },
      { value: 'bidi\u202e' },
    ],
  };
  const told = (shell: (typeof SHELLS)[number], given: string[]) =>
    readQuestion(shell, given, () => []).write(reply);

  test('bash: words that it can take, one on each line', () => {
    expect(told('bash', ['leasectl c --x=', ''])).toBe(
      "words\na$'\\n'b\ntab$'\\t'\nbidi$'\\xe2\\x80\\xae'\n",
    );
    expect(told('bash', ['leasectl c --x=', '--x='])).toMatch(/^words\n--x=a\$'\\n'b\n/);
    // What readline is going to replace has to be known.
    expect(told('bash', ['leasectl c --x=', 'y'])).toBe('');
  });

  test('zsh: fields', () => {
    expect(told('zsh', ['leasectl', 'c', ''])).toBe(
      [
        'words',
        '--x=',
        'a\nb',
        'a\\u000ab',
        'one\\u000atwo \\u001b[31m',
        'tab\t',
        'tab\\u0009',
        '',
        '',
      ].join('\0'),
    );
  });

  test('fish: fields', () => {
    expect(told('fish', ['leasectl', 'c', ''])).toBe(
      ['words', '--x=', '--x=a\nb\tone\\u000atwo \\u001b[31m', ''].join('\0'),
    );
  });

  test('variables before the command are none of its words', () => {
    expect(readQuestion('zsh', ['A=1', 'leasectl', 'status', 'k'], () => []).line).toEqual({
      words: ['status'],
      current: 'k',
    });
  });
});
