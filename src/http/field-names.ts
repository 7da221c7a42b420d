import * as z from 'zod/mini';

/** The fields that a schema names for a value: of an object, or of the elements of a list. */
export function fieldNames(schema: z.ZodMiniType | undefined, value: unknown): string[] {
  if (!schema) return [];
  const namesIn = (type: unknown): string[] => {
    if (type instanceof z.ZodMiniObject) return Object.keys(type.shape);
    if (type instanceof z.ZodMiniArray) return namesIn(type.def.element);
    if (type instanceof z.ZodMiniNullable || type instanceof z.ZodMiniOptional) {
      return namesIn(type.def.innerType);
    }
    if (type instanceof z.ZodMiniUnion) {
      return type.def.options.flatMap((option) =>
        z.safeParse(option, value).success ? namesIn(option) : [],
      );
    }
    return [];
  };
  return namesIn(schema);
}
