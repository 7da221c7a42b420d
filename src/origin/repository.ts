import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

/*
 * What Git keeps of a directory, read from its files: to ask git itself takes longer than a lease, and
 * it may not be installed. What is not as it should be is as good as not there.
 */

/** A repository, as far as it says what it is. */
export interface Repository {
  /** Its remote, without user, password and query; else the name of its directory. */
  readonly repository?: string | undefined;
  readonly commit?: string | undefined;
}

/** The repository that a directory lies in, and the commit that is checked out there. */
export function repositoryOf(directory: string): Repository | undefined {
  const root = rootOf(directory);
  if (root === undefined) return undefined;
  const own = gitDirectory(root);
  // A worktree has a HEAD of its own; the rest is that of the repository it was made from.
  const common = own && resolve(own, lineOf(join(own, 'commondir')) ?? '');
  if (own === undefined || common === undefined) return undefined;
  const remote = remoteIn(textOf(join(common, 'config')) ?? '');
  return { repository: remote ?? basename(root), commit: commitOf(own, common) };
}

/** The nearest directory with a `.git`. */
function rootOf(directory: string): string | undefined {
  for (let place = directory; ; place = dirname(place)) {
    if (statSync(join(place, '.git'), { throwIfNoEntry: false })) return place;
    if (dirname(place) === place) return undefined;
  }
}

/** Undefined where it is none of Git's. */
function gitDirectory(root: string): string | undefined {
  const git = join(root, '.git');
  if (statSync(git).isDirectory()) return git;
  const [, path] = /^gitdir: (.+)$/.exec(lineOf(git) ?? '') ?? [];
  return path === undefined ? undefined : resolve(root, path);
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** How often one reference may be another one. */
const DEEPEST = 5;

function commitOf(own: string, common: string): string | undefined {
  let value = lineOf(join(own, 'HEAD'));
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const [, name] = /^ref: (refs\/.+)$/.exec(value ?? '') ?? [];
    if (name === undefined) break;
    if (name.split('/').includes('..')) return undefined;
    value = lineOf(join(common, name)) ?? packed(name, common);
  }
  return value !== undefined && COMMIT.test(value) ? value : undefined;
}

function packed(name: string, common: string): string | undefined {
  const text = `\n${textOf(join(common, 'packed-refs')) ?? ''}\n`;
  const at = text.indexOf(` ${name}\n`);
  return at < 0 ? undefined : text.slice(text.lastIndexOf('\n', at) + 1, at);
}

/** The URL of the remote called origin. What other files the configuration has is not looked at. */
function remoteIn(config: string): string | undefined {
  const [, section] = /^\s*\[remote "origin"\]([^[]*)/m.exec(config) ?? [];
  const [, value] = /^\s*url\s*=\s*(.*?)\s*$/im.exec(section ?? '') ?? [];
  return value === undefined ? undefined : withoutUser(value.replace(/^"(.*)"$/, '$1'));
}

/** An address as anybody may see it; undefined where it is none whose parts are known. */
export function withoutUser(address: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(address)) {
    if (!URL.canParse(address)) return undefined;
    const url = new URL(address);
    Object.assign(url, { username: '', password: '', search: '', hash: '' });
    return url.href;
  }
  // As in `git@example.com:team/deploy.git`; two colons name a program that knows how to get there.
  const [, host, path] = /^(?:[^/]*@)?([^@/:]+):([^:?#@]+)$/.exec(address) ?? [];
  if (host !== undefined) return `${host}:${path}`;
  return isAbsolute(address) || /^\.{0,2}\//.test(address) ? address : undefined;
}

/** Bytes. What has more takes longer to read than it is worth. */
const LARGEST = 256 * 1024;

/** It is looked at before it is opened, for a pipe would hold that up. */
function textOf(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size <= LARGEST ? readFileSync(file, 'utf8') : undefined;
}

function lineOf(file: string): string | undefined {
  return textOf(file)?.split('\n', 1)[0]?.trim();
}
