import type { Access } from '../engine/access.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { refuseForeign } from './loopback.ts';

/** Remembers when callers are told apart from now on: tokens are revoked, and never gone. */
export function closingOnce(access: Access): Access {
  let isClosed = false;
  return {
    ...access,
    isOpen: async () => {
      isClosed ||= !(await access.isOpen());
      return !isClosed;
    },
  };
}

/** Refuses what is foreign, as long as callers are not told apart. */
export async function refuseWhileOpen(
  request: Request,
  access: Pick<Access, 'isOpen'>,
): Promise<HttpAnswer | undefined> {
  const refusal = refuseForeign(request);
  if (!refusal) return undefined;
  // Without its database nothing says that they are.
  const isOpen = await access.isOpen().catch(() => true);
  return isOpen ? refusal : undefined;
}
