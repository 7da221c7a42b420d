import { parseJson } from './domain/json.ts';
import { visible, visibleSource } from './terminal/visible.ts';

/** A text of lines that came from elsewhere, made safe to show; JSON keeps its value. */
export function visibleBody(text: string): string {
  if (parseJson(text) !== undefined) return visibleSource(text);
  const line = (part: string) => part.split('\t').map(visible).join('\t');
  return text.split(/\r?\n/).map(line).join('\n');
}
