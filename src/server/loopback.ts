import { BlockList, isIP } from 'node:net';
import type { Access } from '../engine/access.ts';
import { json } from '../http/route.ts';
import type { HttpAnswer } from '../http/transport.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine reaches what is at a host: a name, or an address, be it in brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const version = isIP(bare);
  // RFC 6761 leaves nobody else these names.
  if (version === 0) return /^(?:[^.]+\.)*localhost\.?$/.test(bare);
  return LOOPBACK.check(bare, version === 6 ? 'ipv6' : 'ipv4');
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
  request: Request,
  access: Pick<Access, 'isOpen'>,
): Promise<HttpAnswer | undefined> {
  if (!isForeign(request)) return undefined;
  // Without its database nothing says that they are.
  const isOpen = await access.isOpen().catch(() => true);
  return isOpen ? FOREIGN : undefined;
}

/** What proxies say of where a request is from. */
const PROXIED = /^(?:forwarded|via|x-real-ip|x-forwarded(?:-.*)?)$/;

function isForeign(request: Request): boolean {
  const { host, hostname } = new URL(request.url);
  const origin = request.headers.get('origin');
  const isOwn = origin === null || /^https?:\/\/(.*)$/.exec(origin)?.[1] === host;
  const site = request.headers.get('sec-fetch-site');
  const isSame = site === null || site === 'same-origin' || site === 'none';
  const isDirect = ![...request.headers.keys()].some((name) => PROXIED.test(name));
  return !(isLoopback(hostname) && isOwn && isSame && isDirect);
}
