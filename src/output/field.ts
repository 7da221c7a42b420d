import type { Node } from 'jsonc-parser';
import { Failure } from '../domain/failure.ts';
import { visible, visibleSource } from '../terminal/visible.ts';
import { laidOut } from './json-text.ts';

/** Names that a message tells at most. */
const MOST_NAMES = 40;

/**
 * The values of one field of an answer, bare, a line each: one of an object, any number of a list.
 * What is null has no fields that could be missing.
 *
 * @param json the answer as it came: numbers keep their digits
 * @param name a field, or a path with dots
 * @param known fields, and paths to them, that the answer could have: one left out counts as null
 * @throws Failure `usage` when there is no such field; of a list, when no element has it
 */
export async function fieldOf(
  json: string,
  name: string,
  known: readonly string[],
): Promise<string[]> {
  const { parseTree } = await import('jsonc-parser');
  const root = parseTree(json);
  if (!root || root.type === 'null') return [''];
  const bareOf = (value: Value) => (value ? bare(value, json) : '');
  const own = root.type === 'array' ? undefined : at(root, name);
  if (own !== undefined) return [bareOf(own)];
  if (isLeftOut(root, name, known)) return [''];
  const list = listIn(root);
  if (!list) throw noField(name, root, [root], known);
  const inside = list.name === undefined ? known : below(known, list.name);
  const values = list.items.map((item) => {
    const value = at(item, name);
    return value === undefined && isLeftOut(item, name, inside) ? null : value;
  });
  if (values.some(Boolean) || !values.includes(undefined)) return values.map(bareOf);
  throw noField(name, root, list.items, inside);
}

/** What a path leads to; null where a null ends it early; undefined where it leads nowhere. */
type Value = Node | null | undefined;

function at(node: Node, path: string): Value {
  if (node.type === 'null') return null;
  const exact = child(node, path);
  if (exact) return exact;
  let value: Value;
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const next = child(node, path.slice(0, dot));
    const found = next && at(next, path.slice(dot + 1));
    if (found) return found;
    if (found === null) value = null;
  }
  return value;
}

/** Whether the first step of a path that leads nowhere is to a field that could be there. */
function isLeftOut(node: Node, path: string, known: readonly string[]): boolean {
  let at = node;
  const names: string[] = [];
  for (const step of path.split('.')) {
    if (at.type === 'object') names.push(step);
    const next = child(at, step);
    if (!next) return at.type === 'object' && known.includes(names.join('.'));
    at = next;
  }
  return false;
}

/** The paths that go on from a field. */
function below(known: readonly string[], name: string): string[] {
  const start = `${name}.`;
  return known.filter((path) => path.startsWith(start)).map((path) => path.slice(start.length));
}

function child({ type, children = [] }: Node, name: string): Node | undefined {
  if (type === 'array') return /^\d+$/.test(name) ? children[Number(name)] : undefined;
  // Of fields with one name the last counts, as for everybody who parses JSON.
  return children.findLast(({ children: [key] = [] }) => key?.value === name)?.children?.[1];
}

function namesIn({ type, children = [] }: Node): string[] {
  return type === 'object' ? children.map(({ children: [key] = [] }) => String(key?.value)) : [];
}

interface List {
  /** Of the field that has it; undefined where it is the whole answer. */
  readonly name: string | undefined;
  readonly items: readonly Node[];
}

/** The elements of what is a list, or has one list of objects and beside it nothing with fields of its own. */
function listIn({ type, children = [] }: Node): List | undefined {
  if (type === 'array') return { name: undefined, items: children };
  if (children.some(({ children: [, value] = [] }) => value?.type === 'object')) return undefined;
  const lists = children
    .flatMap(({ children: [key, value] = [] }) =>
      value?.type === 'array' ? [{ name: String(key?.value), items: value.children ?? [] }] : [],
    )
    .filter(({ items }) => items.every((item) => item.type === 'object'));
  return lists.length === 1 ? lists[0] : undefined;
}

function bare(node: Node, json: string): string {
  if (node.type === 'null') return '';
  if (node.type === 'string') return visible(String(node.value));
  return visibleSource(laidOut(json.slice(node.offset, node.offset + node.length), 0));
}

function noField(
  name: string,
  root: Node,
  things: readonly Node[],
  known: readonly string[],
): Failure {
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const path = name.slice(0, dot);
    const parents = [root, ...things].flatMap((thing) => at(thing, path) ?? []);
    if (parents.length > 0) {
      const rest = name.slice(dot + 1);
      return failureOf(`${path} in the answer has no field ${rest}`, parents, []);
    }
  }
  return failureOf(`The answer has no field ${name}`, things, known);
}

function failureOf(what: string, things: readonly Node[], known: readonly string[]): Failure {
  const present = [...new Set(things.flatMap(namesIn))];
  const names = present.length > 0 ? present : known.filter((path) => !path.includes('.'));
  const told = names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
  return new Failure('usage', `${what}.`, {
    hint: told ? `There are ${told}.` : 'It has no fields at all: see it with --json.',
  });
}
