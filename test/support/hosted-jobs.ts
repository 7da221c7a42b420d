import { addProfile, createSandbox } from './sandbox.ts';
import { type Reply, type SeenRequest, startStub } from './stub-server.ts';

/*
 * A server for jobs that is not ours, and that answers as it is told.
 */

export const TOKEN = 'canary-access-77c1';
export const LOCK = 'canary-lock-5b21';
export const JOB = {
  job_id: 'j/1',
  job_type: 'extract_facts',
  status: 'pending',
  priority: 'high',
};
export const CLAIMED = { ...JOB, status: 'claimed', lock_token: LOCK, fencing_token: 5 };
export const EMPTY: Reply = { status: 200 };
export const away: Reply = { status: 503, headers: { 'retry-after': '60' } };
export const hangUp: Reply = (_, response) => void response.socket?.destroy();
export const ok = (body: unknown): Reply => ({ status: 200, body });
export const refusal = (status: number, code: string, more: object = {}): Reply => ({
  status,
  body: { code, message: 'No.', ...more },
});
export const SUBMIT = ['jobs', 'submit', 'j/1', '--patch', '{"a":1}'];

export async function withServer(...replies: Reply[]) {
  const stub = await startStub(...replies);
  const sandbox = createSandbox();
  await addProfile(sandbox, 'media', `${stub.url}/api/v1`, TOKEN, 'retaia');
  return { ...sandbox, seen: stub.seen };
}

export async function withClaim(...replies: Reply[]) {
  const server = await withServer(ok(CLAIMED), ...replies);
  await server.json(['jobs', 'claim', 'j/1']);
  return server;
}

export const bodyOf = (request: SeenRequest | undefined) => JSON.parse(request?.body ?? '');
export const keyOf = (request: SeenRequest | undefined) => request?.headers['idempotency-key'];
