/**
 * Ends the process in so many milliseconds, whatever then still hangs on. Where nothing does, it ends
 * before, and by itself.
 */
export function endAnyway(milliseconds: number): void {
  setTimeout(() => process.exit(), milliseconds).unref();
}
