import * as z from 'zod/mini';

/**
 * The fields that a schema names for a value: of an object, or of the elements of a list; and those
 * of what is in them, as paths with dots.
 */
export function fieldNames(schema: z.core.$ZodType | undefined, value: unknown): string[] {
  if (schema instanceof z.ZodMiniLazy) return fieldNames(schema._zod.innerType, value);
  if (schema instanceof z.ZodMiniUnion) {
    return schema.def.options.flatMap((option) =>
      z.safeParse(option, value).success ? namesIn(option) : [],
    );
  }
  return namesIn(schema);
}

function namesIn(type: unknown): string[] {
  if (type instanceof z.ZodMiniLazy) return namesIn(type._zod.innerType);
  if (type instanceof z.ZodMiniObject) {
    return Object.entries(type.shape).flatMap(([name, inner]) => [
      name,
      ...namesIn(inner).map((path) => `${name}.${path}`),
    ]);
  }
  if (type instanceof z.ZodMiniArray) return namesIn(type.def.element);
  if (type instanceof z.ZodMiniNullable || type instanceof z.ZodMiniOptional) {
    return namesIn(type.def.innerType);
  }
  return type instanceof z.ZodMiniUnion ? type.def.options.flatMap(namesIn) : [];
}
