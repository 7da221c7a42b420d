import { isJsonObject, parseJson } from '../../domain/json.ts';
import { sourceOf, withSource } from '../../http/exchange.ts';
import { fits } from '../../http/schema.ts';
import { LeasedJob } from './wire.ts';

const HIDDEN = '***';
/** A shorter one is no secret, and would be found in any text. */
const SHORTEST = 8;

type Path = readonly (string | number)[];

/** The answer with its access token hidden, also in other data of the job, and otherwise as it came. */
export async function withoutCredentials(job: LeasedJob): Promise<LeasedJob> {
  const token = job.data?.credentials?.access_token;
  if (token == null) return job;
  const { applyEdits, modify } = await import('jsonc-parser');
  let source = sourceOf(job) ?? JSON.stringify(job);
  const hide = (path: Path, text: string) => {
    source = applyEdits(source, modify(source, [...path], text, {}));
  };
  if (token.length >= SHORTEST) {
    for (const { path, text } of textsIn(job.data, ['data'])) {
      if (text.includes(token)) hide(path, text.replaceAll(token, HIDDEN));
    }
  }
  hide(['data', 'credentials', 'access_token'], HIDDEN);
  const hidden = parseJson(source);
  if (!fits(LeasedJob, hidden)) throw new Error('the answer without its token is none any more');
  return withSource(hidden, source);
}

function textsIn(value: unknown, path: Path): { path: Path; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, at) => textsIn(item, [...path, at]));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => textsIn(item, [...path, name]));
}
