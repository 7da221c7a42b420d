import type { Node } from 'jsonc-parser';
import { Failure } from '../domain/failure.ts';
import { visible, visibleSource } from '../terminal/visible.ts';
import { laidOut } from './json-text.ts';

/** Names that a message tells at most. */
const MOST_NAMES = 40;

/**
 * The values of one field of an answer, bare, a line each: one of an object, any number of a list.
 *
 * @param json the answer as it came: numbers keep their digits
 * @param name a field, or a path with dots
 * @param known fields that the answer could have: one that is left out counts as null
 * @throws Failure `usage` when there is no such field
 */
export async function fieldOf(
  json: string,
  name: string,
  known: readonly string[],
): Promise<string[]> {
  const { parseTree } = await import('jsonc-parser');
  const root = parseTree(json);
  if (!root || root.type === 'null') return [''];
  const bareOf = (node: Node | undefined) => (node ? bare(node, json) : '');
  const own = root.type === 'array' ? undefined : at(root, name);
  if (own) return [bareOf(own)];
  const isKnown = known.includes(name) || known.includes(name.split('.')[0] ?? '');
  const list = listIn(root);
  if (!list) {
    if (isKnown) return [''];
    throw noField(name, root, [root], known);
  }
  const values = list.map((item) => at(item, name));
  if (isKnown || list.length === 0 || values.some(Boolean)) return values.map(bareOf);
  throw noField(name, root, list, known);
}

/** What a path leads to; a null that ends it early; undefined when it leads nowhere. */
function at(node: Node, path: string): Node | undefined {
  if (node.type === 'null') return node;
  const exact = child(node, path);
  if (exact) return exact;
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const next = child(node, path.slice(0, dot));
    const found = next && at(next, path.slice(dot + 1));
    if (found) return found;
  }
  return undefined;
}

function child({ type, children = [] }: Node, name: string): Node | undefined {
  if (type === 'array') return /^\d+$/.test(name) ? children[Number(name)] : undefined;
  // Of fields with one name the last counts, as for everybody who parses JSON.
  return children.findLast(({ children: [key] = [] }) => key?.value === name)?.children?.[1];
}

function namesIn({ type, children = [] }: Node): string[] {
  return type === 'object' ? children.map(({ children: [key] = [] }) => String(key?.value)) : [];
}

/** The elements of what is a list, or has one list of objects and no other. */
function listIn({ type, children = [] }: Node): readonly Node[] | undefined {
  if (type === 'array') return children;
  const lists = children
    .flatMap(({ children: [, value] = [] }) => (value?.type === 'array' ? [value] : []))
    .filter(({ children: items = [] }) => items.every((item) => item.type === 'object'));
  return lists.length === 1 ? lists[0]?.children : undefined;
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
  const names = present.length > 0 ? present : known;
  const told = names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
  return new Failure('usage', `${what}.`, {
    hint: told ? `There are ${told}.` : 'It has no fields at all: see it with --json.',
  });
}
