import type { Style } from './output/style.ts';
import type { Detail } from './output/table.ts';
import { pastTime, shownEnd, shownPast, timeLeft } from './output/time.ts';
import type { TokenInfo } from './services/admin/wire.ts';

/*
 * How people read access tokens, which they never see here.
 */

export const tokenColumns = ['NAME', 'STATE', 'SCOPE', 'CREATED', 'EXPIRES', 'LAST USED'];

export function tokenRow(token: TokenInfo, now: number, style: Style): string[] {
  const { name, scope, created_at, expires_at, last_used_at } = token;
  return [
    name,
    stateOf(token, now),
    scope,
    shownPast(created_at, now, style),
    expires_at === null ? 'never' : shownEnd(expires_at, now, style),
    shownPast(last_used_at, now, style) || 'never',
  ];
}

export function tokenDetails(token: TokenInfo, now: number, style: Style): Detail[] {
  const { name, namespace, scope, created_at, expires_at, last_used_at, revoked_at } = token;
  return [
    ['Name', name],
    ['State', stateOf(token, now)],
    ['Namespace', namespace],
    ['Scope', scope],
    ['Created', pastTime(created_at, now, style)],
    ['Expires', expires_at === null ? 'never' : timeLeft(Date.parse(expires_at), now, style)],
    ['Last used', last_used_at === null ? 'never' : pastTime(last_used_at, now, style)],
    ['Revoked', revoked_at && pastTime(revoked_at, now, style)],
  ];
}

function stateOf({ expires_at, revoked_at }: TokenInfo, now: number): string {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= now ? 'expired' : 'good';
}
