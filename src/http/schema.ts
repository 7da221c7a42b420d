import type * as z from 'zod/mini';

/**
 * Whether a value fits a schema. The value itself is what one goes on with, not zod's copy: the
 * order of its fields and the fields that no schema names stay as they came. (Schemas of wire
 * formats do not transform, so a value that parses is already of the parsed type.)
 */
export function fits<T>(schema: z.ZodMiniType<T>, value: unknown): value is T {
  return schema.safeParse(value).success;
}
