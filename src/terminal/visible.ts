import { ACTING } from '../domain/acting.ts';

/** White space between the parts of a JSON text; within its strings it is escaped already. */
const LAYOUT = /[\t\n\r]/;

/** Foreign text made safe to show: what would act on the terminal is spelled out. */
export function visible(text: string): string {
  return text.replace(ACTING, escaped);
}

/** A text of many lines made safe to show. A JSON text keeps its value: its strings have no lines. */
export function visibleSource(json: string): string {
  return json.replace(ACTING, (character) =>
    LAYOUT.test(character) ? character : escaped(character),
  );
}

/**
 * A value as JSON text that is safe to show.
 *
 * @param indent spaces; 0 for all on one line
 */
export function visibleJson(value: unknown, indent = 2): string {
  return visibleSource(JSON.stringify(value, null, indent) ?? 'null');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
