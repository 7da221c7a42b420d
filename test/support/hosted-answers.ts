import type { Reply } from './stub-server.ts';

export const CANARY = 'once_live_canary_7f3a';
export const HANDLE = 'lease_canary_91bc';

export const STATE = {
  ok: true,
  status: 'in_progress',
  key: 'k',
  ttl_left: 90,
  lease_id: HANDLE,
  version: 1,
};
export const ACQUIRED: Reply = {
  status: 200,
  body: {
    ...STATE,
    status: 'acquired',
    ttl: 60,
    ttl_left: null,
    usage: 12,
    limit: 3000,
    charged: 1,
  },
};
export const IN_PROGRESS: Reply = { status: 200, body: STATE };
export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
export const refusal = (status: number, error: string, message = 'No.'): Reply => ({
  status,
  body: { detail: { error, message } },
});
