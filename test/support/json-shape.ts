import { isJsonObject } from '../../src/domain/json.ts';

/**
 * What values look like: a type's name, or several; for a list one element that stands for all; for
 * an object its fields, with `?` where not every object had them.
 */
export type Shape = string | readonly [Shape] | readonly [] | { readonly [name: string]: Shape };

/** The shape that all of the values have in common. */
export function shapeOf(values: readonly unknown[]): Shape {
  const lists = values.filter((value) => Array.isArray(value));
  const objects = values.filter(isJsonObject);
  const scalars = values.filter((value) => !Array.isArray(value) && !isJsonObject(value));
  const types = new Set(scalars.map((value) => (value === null ? 'null' : typeof value)));
  const parts: Shape[] = [];
  if (objects.length > 0) parts.push(shapeOfObjects(objects));
  if (lists.length > 0) parts.push(lists.flat().length > 0 ? [shapeOf(lists.flat())] : []);
  const names = [...types].sort((a, b) => Number(a === 'null') - Number(b === 'null'));
  const [only, second] = parts;
  if (only === undefined) return names.join(' | ');
  if (second === undefined && names.length === 0) return only;
  // What is an object at one time and something else at another.
  const others = [...names, ...(second === undefined ? [] : ['list'])];
  return { [`${others.join(' or ')} or`]: only };
}

function shapeOfObjects(objects: readonly object[]): Shape {
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  return Object.fromEntries(
    names.map((name) => {
      const having = objects.filter((object) => name in object);
      const isOptional = having.length < objects.length;
      const values = having.map((object) => Object(object)[name]);
      return [isOptional ? `${name}?` : name, shapeOf(values)];
    }),
  );
}
