/** Strings, what structures, and what is neither: numbers, true, false, null. */
const PARTS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * A JSON text laid out anew. It stays a text, so its numbers keep all their digits; and it may be
 * nested as deeply as it likes.
 *
 * @param json valid JSON
 * @param indent spaces; 0 for all on one line
 */
export function laidOut(json: string, indent: number): string {
  const parts = json.match(PARTS) ?? [];
  if (indent === 0) return parts.join('');
  let depth = 0;
  const out: string[] = [];
  const newLine = () => out.push('\n', ' '.repeat(depth * indent));
  for (const [at, part] of parts.entries()) {
    const isFirst = /^[[{]$/.test(parts[at - 1] ?? '');
    if (/^[\]}]$/.test(part)) {
      depth -= 1;
      if (!isFirst) newLine();
    } else if (isFirst) newLine();
    out.push(part === ':' ? ': ' : part);
    if (part === ',') newLine();
    if (/^[[{]$/.test(part)) depth += 1;
  }
  return out.join('');
}
