/** Characters that act on a terminal, or on the order of what is read, instead of showing. */
const ACTING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Foreign text made safe to show: what would act on the terminal is spelled out. */
export function visible(text: string): string {
  return text.replace(ACTING, (character) => `\\u${hex(character)}`);
}

/**
 * JSON text in which such characters are escaped; it parses to the same value.
 *
 * @param indent spaces; 0 for all on one line
 */
export function visibleJson(value: unknown, indent = 2): string {
  // Line breaks are the layout's: inside strings JSON.stringify has escaped them already.
  return (JSON.stringify(value, null, indent) ?? 'null').replace(ACTING, (character) =>
    character === '\n' ? character : `\\u${hex(character)}`,
  );
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}
