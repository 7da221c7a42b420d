/** The parts of a block that is not full, by eighths. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/**
 * A bar that runs down from its right.
 *
 * @param part what is left, from 0 to 1
 * @param width in columns
 */
export function bar(part: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, part)) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return full + '░'.repeat(width - full.length);
}
