import { BlockList, isIP } from 'node:net';
import { Failure } from '../domain/failure.ts';
import { isLoopback } from '../domain/private-url.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy, and how to be let through. */
export interface ProxyServer {
  /** Without user and password. */
  readonly url: URL;
  /** Value of the Proxy-Authorization header. Secret. */
  readonly authorization: string | undefined;
}

/** The small letters first, as curl has it. Plain http is for loopback only, and never takes a proxy. */
const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
const EXCEPTIONS = ['no_proxy', 'NO_PROXY'];

/**
 * The proxy on the way to a URL, if there is one.
 *
 * @param remember told what is secret of it
 * @throws Failure `usage` when the variable is no URL of such a proxy
 */
export function proxyFor(
  target: URL,
  env: Environment,
  remember: (secret: string) => string,
): ProxyServer | undefined {
  const variable = PROXY_VARIABLES.find((name) => env[name]);
  if (variable === undefined || target.protocol !== 'https:' || isLoopback(target.hostname)) {
    return undefined;
  }
  const exceptions = EXCEPTIONS.map((name) => env[name]).find(Boolean) ?? '';
  if (isException(target, exceptions)) return undefined;
  return parseProxy(env[variable] ?? '', variable, remember);
}

function parseProxy(
  text: string,
  variable: string,
  remember: (secret: string) => string,
): ProxyServer {
  const whole = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Failure('usage', `${variable} is no URL of a proxy that leasectl can use.`, {
      hint: 'It looks like http://HOST:PORT or https://HOST:PORT; NO_PROXY names the hosts that are reached without it.',
    });
  }
  if (!url.username && !url.password) return { url, authorization: undefined };
  const [user = '', password = ''] = [url.username, url.password].map(decoded);
  remember(password);
  remember(url.password);
  const basic = remember(Buffer.from(`${user}:${password}`).toString('base64'));
  url.username = '';
  url.password = '';
  return { url, authorization: `Basic ${basic}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether NO_PROXY names the host: as itself, as a domain, as a network, or with everything. */
function isException(target: URL, list: string): boolean {
  const host = plainHost(target.hostname);
  const port = target.port || '443';
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '') return false;
    if (entry === '*') return true;
    if (entry.includes('/')) return isInNetwork(host, entry);
    const isAddress = isIP(entry) !== 0;
    const [, name = entry, only = port] = (!isAddress && /^(.+):(\d+)$/.exec(entry)) || [];
    const suffix = plainHost(name.toLowerCase().replace(/^\*?\./, ''));
    const isNamed = host === suffix || (isIP(host) === 0 && host.endsWith(`.${suffix}`));
    return isNamed && only === port;
  });
}

/** Without the brackets of an IPv6 address, and the dot after a whole name. */
function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    return false;
  }
  const list = new BlockList();
  const type = family === 6 ? 'ipv6' : 'ipv4';
  list.addSubnet(address, Number(bits), type);
  return list.check(host, type);
}
