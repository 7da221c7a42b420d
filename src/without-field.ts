/** A JSON object's text without one of its fields, and otherwise as it was. */
export async function withoutField(json: string, name: string): Promise<string> {
  const { applyEdits, modify } = await import('jsonc-parser');
  return applyEdits(json, modify(json, [name], undefined, {}));
}
