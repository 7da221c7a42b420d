import type * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

export interface Issue {
  readonly path: readonly (string | number)[];
  /** What was expected and what came, in words. */
  readonly message: string;
  /** zod's name for the kind of misfit, e.g. `invalid_type`. */
  readonly type: string;
}

/**
 * Says what is wrong with a value. Kept apart from the schemas because zod's words are large and
 * only a failure needs them.
 */
export function explainIssues(schema: z.ZodMiniType, value: unknown): Issue[] {
  const { error } = schema.safeParse(value, { error: en().localeError });
  return (error?.issues ?? []).map(({ path, message, code }) => ({
    path: path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    message,
    type: code ?? 'custom',
  }));
}
