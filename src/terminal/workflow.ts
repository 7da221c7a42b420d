/** The line that makes a runner of GitHub Actions hide a secret in all that follows. */
export function maskCommand(secret: string): string {
  const escaped = secret.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return `::add-mask::${escaped}`;
}
