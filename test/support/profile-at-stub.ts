import { CANARY } from './hosted-answers.ts';
import { addProfile, createSandbox } from './sandbox.ts';
import { type Reply, startStub } from './stub-server.ts';

/** A machine with a profile `p` of a service that gives these replies. */
export async function withProfile(service: string, path: string, ...replies: Reply[]) {
  const stub = await startStub(...replies);
  const sandbox = createSandbox();
  await addProfile(sandbox, 'p', stub.url + path, CANARY, service);
  return { ...sandbox, url: stub.url, seen: stub.seen };
}
