import { expect } from 'vitest';
import { createAuthority } from './certificates.ts';
import { createSandbox, type Outcome, type Sandbox } from './sandbox.ts';
import { startTlsService } from './tls-service.ts';

export const TOKEN = 'canary-token-31';
export const PASSWORD = 'canary pass/31';
export const STATUS = ['status', 'k', '--timeout', '5s'];
/** Only a proxy finds the way to it. */
export const HOST = 'service.test';

export async function addProfile({ run }: Sandbox, url: string, ...flags: string[]) {
  const args = ['profile', 'add', 'far', '--service', 'onceonly', '--url', url, '--token-stdin'];
  const { code, stderr } = await run([...args, ...flags], { input: TOKEN });
  expect({ code, stderr }).toMatchObject({ code: 0 });
}

/** A service behind TLS with that name, and a profile that trusts it. */
export async function farService() {
  const authority = createAuthority();
  const service = await startTlsService(authority.issue(HOST));
  const sandbox = createSandbox();
  const url = `https://${HOST}:${service.port}`;
  await addProfile(sandbox, url, '--ca-file', authority.certFile);
  return { ...sandbox, sandbox, service, authority, url };
}

export function expectFailure({ code, stdout, stderr }: Outcome, exit: number, ...words: string[]) {
  expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  for (const word of words) expect(stderr).toContain(word);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  expect(stderr).not.toMatch(/canary|^\s+at /m);
}
