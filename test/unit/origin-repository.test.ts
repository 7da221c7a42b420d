import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryOf, withoutUser } from '../../src/origin/repository.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const PERSON = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];

/** A repository as Git makes it, and what Git itself says of it. */
function createRepository() {
  const root = temporaryDirectory();
  const env = { PATH: process.env['PATH'] ?? '', HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: readonly string[]) =>
    execFileSync('git', [...PERSON, ...args], { cwd: root, env, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('commit', '--quiet', '--allow-empty', '--message=one');
  return { root, git };
}

describe('a repository as Git makes it', () => {
  test('is found from any directory in it, at the commit of its branch', () => {
    const { root, git } = createRepository();
    const directory = join(root, 'a', 'b');
    mkdirSync(directory, { recursive: true });
    const found = { repository: basename(root), commit: git('rev-parse', 'HEAD') };
    expect(repositoryOf(root)).toEqual(found);
    expect(repositoryOf(directory)).toEqual(found);
  });

  test.each([
    ['with packed references', ['pack-refs', '--all']],
    ['with none checked out', ['checkout', '--quiet', '--detach']],
    ['on a branch with slashes', ['checkout', '--quiet', '-b', 'a/b/c']],
    ['on a name for a branch', ['symbolic-ref', 'HEAD', 'refs/heads/other']],
  ])('tells its commit %s', (_, args) => {
    const { root, git } = createRepository();
    git('symbolic-ref', 'refs/heads/other', 'refs/heads/main');
    git('commit', '--quiet', '--allow-empty', '--message=two');
    git(...args);
    expect(repositoryOf(root)?.commit).toBe(git('rev-parse', 'HEAD'));
  });

  test('has none before the first one', () => {
    const { root, git } = createRepository();
    git('checkout', '--quiet', '--orphan', 'new');
    expect(repositoryOf(root)).toEqual({ repository: basename(root), commit: undefined });
  });

  test('is known in its worktrees, which have commits of their own', () => {
    const { root, git } = createRepository();
    git('remote', 'add', 'origin', 'https://example.com/deploy.git');
    const first = git('rev-parse', 'HEAD');
    git('worktree', 'add', '--quiet', '-b', 'side', 'beside');
    git('commit', '--quiet', '--allow-empty', '--message=two');
    const repository = 'https://example.com/deploy.git';
    expect(repositoryOf(join(root, 'beside'))).toEqual({ repository, commit: first });
    expect(repositoryOf(root)).toEqual({ repository, commit: git('rev-parse', 'HEAD') });
    git('pack-refs', '--all');
    expect(repositoryOf(join(root, 'beside'))?.commit).toBe(first);
  });

  test('is named by its remote called origin, however that is written', () => {
    const { root, git } = createRepository();
    git('remote', 'add', 'upstream', 'https://example.com/upstream.git');
    expect(repositoryOf(root)?.repository).toBe(basename(root));
    git('remote', 'add', 'origin', 'git@example.com:team/deploy.git');
    git('config', 'branch.main.remote', 'upstream');
    expect(repositoryOf(root)?.repository).toBe('example.com:team/deploy.git');
    writeFileSync(join(root, '.git', 'config'), '[core]\n[remote "origin"]\n\tURL="/srv/x.git"\n');
    expect(repositoryOf(root)?.repository).toBe('/srv/x.git');
  });
});

test.each([
  ['https://example.com/a/b.git', 'https://example.com/a/b.git'],
  ['https://user:secret@example.com/a.git?token=secret#secret', 'https://example.com/a.git'],
  ['ssh://git@example.com:2222/a.git', 'ssh://example.com:2222/a.git'],
  ['git@example.com:a/b.git', 'example.com:a/b.git'],
  ['example.com:a.git', 'example.com:a.git'],
  ['file:///srv/a.git', 'file:///srv/a.git'],
  ['/srv/a.git', '/srv/a.git'],
  ['../a.git', '../a.git'],
  ['user:secret@example.com:a.git', 'example.com:a.git'],
  ['ext::ssh -i secret %S', undefined],
  ['helper::https://user:secret@example.com/a.git', undefined],
  ['https://user:secret@', undefined],
  ['secret', undefined],
])('of an address %s there is told: %s', (address, told) => {
  expect(withoutUser(address)).toBe(told);
});

describe('what is not as it should be', () => {
  /** A directory whose `.git` has these files. */
  function withFiles(files: Readonly<Record<string, string>>): string {
    const root = temporaryDirectory();
    mkdirSync(join(root, '.git'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, '.git', name), text);
    return root;
  }

  test('outside of a repository there is none', () => {
    expect(repositoryOf(temporaryDirectory())).toBeUndefined();
    expect(repositoryOf('/')).toBeUndefined();
  });

  test.each([
    'ref: refs/../../secret',
    'ref: refs/heads/none',
    'ref: /etc/passwd',
    'secret',
    '',
    `${'a'.repeat(40)}b`,
    'ref: refs/heads/loop',
  ])('HEAD that says %j is no commit', (head) => {
    const root = withFiles({ HEAD: head, secret: 'a'.repeat(40) });
    mkdirSync(join(root, '.git', 'refs', 'heads'), { recursive: true });
    writeFileSync(join(root, '.git', 'refs', 'heads', 'loop'), 'ref: refs/heads/loop');
    writeFileSync(join(root, 'secret'), 'a'.repeat(40));
    expect(repositoryOf(root)).toEqual({ repository: basename(root), commit: undefined });
  });

  test('what never ends, or is no file, is not read', () => {
    const root = withFiles({});
    execFileSync('mkfifo', [join(root, '.git', 'HEAD')]);
    symlinkSync('/dev/zero', join(root, '.git', 'config'));
    mkdirSync(join(root, '.git', 'packed-refs'));
    expect(repositoryOf(root)).toEqual({ repository: basename(root), commit: undefined });
  });

  test('what is very long is not read', () => {
    const commit = 'a'.repeat(40);
    const root = withFiles({ HEAD: `${commit}\n`, config: `[x]\n${'#'.repeat(10_000_000)}` });
    expect(repositoryOf(root)).toEqual({ repository: basename(root), commit });
  });

  test('a file that leads nowhere leads to none', () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, '.git'), 'gitdir: nowhere');
    expect(repositoryOf(root)).toMatchObject({ commit: undefined });
    writeFileSync(join(root, '.git'), 'nothing of the kind');
    expect(repositoryOf(root)).toBeUndefined();
    rmSync(join(root, '.git'));
    symlinkSync('nowhere', join(root, '.git'));
    expect(repositoryOf(root)).toBeUndefined();
  });
});
