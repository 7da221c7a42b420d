import { parseJson } from '../../domain/json.ts';
import { sourceOf, withSource } from '../../http/exchange.ts';
import { fits } from '../../http/schema.ts';
import { LeasedJob } from './wire.ts';

/** The answer with its access token hidden, and otherwise as it came. */
export async function withoutCredentials(job: LeasedJob): Promise<LeasedJob> {
  const { data } = job;
  if (data?.credentials?.access_token == null) return job;
  const hidden = '***';
  const token = data.credentials.access_token;
  const { applyEdits, modify } = await import('jsonc-parser');
  const source = sourceOf(job) ?? JSON.stringify(job);
  const edits = modify(source, ['data', 'credentials', 'access_token'], hidden, {});
  // It may stand elsewhere, too, e.g. in an address.
  const clean = applyEdits(source, edits).replaceAll(token || hidden, hidden);
  const cleaned = parseJson(clean);
  if (!fits(LeasedJob, cleaned)) throw new Error('the answer without its token is none any more');
  return withSource(cleaned, clean);
}
