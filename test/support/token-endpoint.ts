import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { createKyTransport } from '../../src/http/ky-transport.ts';
import {
  type ClientCredentialsOptions,
  createClientCredentials,
} from '../../src/tokens/client-credentials.ts';
import { createClock } from './embedded-server.ts';
import { temporaryDirectory } from './sandbox.ts';
import { type Reply, startStub } from './stub-server.ts';

export const SECRET = 'canary secret+/é';
export const SECOND = 1_000;

export const transportTo = (baseUrl: URL, timeout = 10_000) =>
  createKyTransport({
    service: 'test',
    baseUrl,
    userAgent: 'leasectl/test',
    timeout,
    firstDelay: 2,
  });

/** A client on a machine of its own, whose token endpoint has this URL. */
export function clientOf(url: string, { timeout = 10_000 }: { timeout?: number } = {}) {
  const clock = createClock('2025-01-15T10:30:00Z');
  const remembered: string[] = [];
  const tokenUrl = new URL(url);
  const options = {
    service: 'test',
    tokenUrl,
    clientId: 'client',
    clientSecret: SECRET,
    scope: 'read write',
    directory: join(temporaryDirectory(), 'tokens'),
    timeout,
    now: clock,
    transport: transportTo(tokenUrl, timeout),
    remember: (secret: string) => {
      remembered.push(secret);
      return secret;
    },
  };
  /** As another process would: with a connection of its own. */
  const open = (change: Partial<ClientCredentialsOptions> = {}) => {
    const credentials = createClientCredentials({ ...options, ...change });
    onTestFinished(() => credentials.close());
    return credentials;
  };
  return { clock, options, remembered, open, credentials: open() };
}

export async function stubbed(...replies: readonly Reply[]) {
  const stub = await startStub(...replies);
  return { ...stub, ...clientOf(`${stub.url}/oauth/token`) };
}

export type Answer = Extract<Reply, { status: number }>;
export const token = (value: string, more: object = { expires_in: 3600 }): Answer => ({
  status: 200,
  body: { access_token: value, token_type: 'Bearer', ...more },
});
export const error = (status: number, code: string, description?: string): Answer => ({
  status,
  body: { error: code, error_description: description },
});

/** How it fails. Whatever it is, no secret is in its words, and nothing is left in doubt. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const failure = await promise.then(
    () => expect.unreachable('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(failure instanceof Failure)) throw failure;
  const words = `${failure.message} ${failure.hint} ${failure.reason}`;
  expect(words).not.toMatch(/canary|undefined \(|\(undefined/);
  expect(failure.outcomeUnknown).toBe(false);
  expect(failure.service).toBe('test');
  return failure;
}
