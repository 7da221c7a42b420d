import { BlockList, isIP } from 'node:net';
import type { Access } from '../engine/access.ts';
import { json } from '../http/route.ts';
import type { HttpAnswer } from '../http/transport.ts';

/** Of IPv6, where an address can be written in many ways. */
const LOOPBACK = new BlockList();
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');

/** Whether only this machine reaches what is at a host: a name, or an address, be it in brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const version = isIP(bare);
  // RFC 6761 leaves nobody else these names.
  if (version === 0) return /^(?:[^.]+\.)*localhost\.?$/.test(bare);
  return version === 4 ? bare.startsWith('127.') : LOOPBACK.check(bare, 'ipv6');
}

const FOREIGN = json(403, {
  detail: {
    error: 'foreign_origin',
    message:
      'Without any token only programs of this machine may ask, at a name of it, through no proxy.',
  },
});

/**
 * Refuses, as long as callers are not told apart, what a web page may have made a browser of this
 * machine send: it reaches loopback, too. A page of anywhere says where it is from; one whose own
 * name was made to lead here says that name. A proxy on this machine brings what others sent it.
 */
export async function refuseForeign(
  origin: Origin,
  access: Pick<Access, 'isOpen'>,
): Promise<HttpAnswer | undefined> {
  if (!isForeign(origin)) return undefined;
  // Without its database nothing says that they are.
  const isOpen = await access.isOpen().catch(() => true);
  return isOpen ? FOREIGN : undefined;
}

/** What a request tells of where it is from. */
export interface Origin {
  /** Of the address it was sent to. */
  readonly host: string;
  readonly hostname: string;
  readonly header: (name: string) => string | null | undefined;
  /** The names of its headers, in lower case. */
  readonly names: Iterable<string>;
}

export function originOf({ url, headers }: Request): Origin {
  const { host, hostname } = new URL(url);
  return { host, hostname, header: (name) => headers.get(name), names: headers.keys() };
}

/** What proxies say of where a request is from. */
const PROXIED = /^(?:forwarded|via|x-real-ip|x-forwarded(?:-.*)?)$/;

function isForeign({ host, hostname, header, names }: Origin): boolean {
  const origin = header('origin') ?? null;
  const isOwn = origin === null || /^https?:\/\/(.*)$/.exec(origin)?.[1] === host;
  const site = header('sec-fetch-site') ?? null;
  const isSame = site === null || site === 'same-origin' || site === 'none';
  if (!(isOwn && isSame && isLoopback(hostname))) return true;
  for (const name of names) if (PROXIED.test(name)) return true;
  return false;
}
