import { sourceOf, withSource } from '../../http/exchange.ts';
import type { LeasedJob } from './wire.ts';

/** The answer with its access token hidden, and otherwise as it came. */
export async function withoutCredentials(job: LeasedJob): Promise<LeasedJob> {
  const { data } = job;
  if (data?.credentials?.access_token == null) return job;
  const hidden = '***';
  const credentials = { ...data.credentials, access_token: hidden };
  const { applyEdits, modify } = await import('jsonc-parser');
  const source = sourceOf(job) ?? JSON.stringify(job);
  const edits = modify(source, ['data', 'credentials', 'access_token'], hidden, {});
  return withSource({ ...job, data: { ...data, credentials } }, applyEdits(source, edits));
}
