import { isIPv6 } from 'node:net';
import type { Bearer } from '../engine/access.ts';

/*
 * Whom a request is counted as. The kind is in front: a token and a client may have the same name, and
 * an address may be anybody's name.
 */

export function callerOf(bearer: Bearer | undefined): string {
  return bearer ? JSON.stringify([bearer.kind, bearer.namespace, bearer.name]) : 'nobody';
}

/** Who shows an id and a secret of its own in place of a token. */
export function clientOf(id: string): string {
  return JSON.stringify(['client id', id]);
}

/** Who has shown nothing that is known. Without an address all are one. */
export function strangerOf(remote: string | undefined): string {
  return remote === undefined ? 'no address' : `address ${networkOf(remote)}`;
}

/** The part of an address that a machine does not choose: of IPv6 it has 2^64 of its own. */
function networkOf(address: string): string {
  // Nothing else has a colon: to look whether it is one takes longer than all the rest.
  if (!address.includes(':')) return address;
  if (!isIPv6(address) || address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [left = [], right = []] = address
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
