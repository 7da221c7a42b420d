import type { Redactor } from './domain/redactor.ts';
import { embeddedUrl } from './embedded.ts';
import { DryRun } from './http/dry-run.ts';
import { assertPrivacy, headersOf, urlOf } from './http/request.ts';
import type { Transport } from './http/transport.ts';
import type { ServiceName } from './profiles/profile.ts';
import type { Authentication, Secret, Target } from './profiles/resolve.ts';

export interface DryTransportOptions {
  readonly service: ServiceName;
  readonly userAgent: string;
  readonly redactor: Redactor;
}

/**
 * Sends nothing: throws a `DryRun` with the first request, as it would go to a target. A secret that
 * is not at hand is not read: that may take a keyring, a program, or a request.
 */
export async function createDryTransport(
  target: Target,
  { service, userAgent, redactor }: DryTransportOptions,
): Promise<Transport> {
  if (target.type === 'local') {
    const baseUrl = await embeddedUrl(service);
    return async ({ method, headers, body, ...place }) => {
      throw new DryRun({ method, url: urlOf(baseUrl, place), headers, body });
    };
  }
  const { url: baseUrl, secret, authentication } = target;
  assertPrivacy({ baseUrl, service });
  const known = secret && atHand(secret);
  if (known !== undefined) redactor.addCredential(known);
  const authorization = secret && shownAs(authentication);
  return async (request) => {
    const { method, body } = request;
    const headers = headersOf(request, { userAgent, authorization });
    throw new DryRun({ method, url: urlOf(baseUrl, request), headers, body });
  };
}

function atHand(secret: Secret): string | undefined {
  if ('given' in secret) return secret.given;
  return typeof secret.stored === 'string' ? secret.stored : undefined;
}

function shownAs({ type }: Authentication): string {
  return type === 'basic' ? 'Basic ***' : 'Bearer ***';
}
