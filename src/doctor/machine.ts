import { about, type Finding } from './finding.ts';

/** The oldest Node that leasectl runs on, as package.json says. */
const OLDEST = [20, 19] as const;

/** What leasectl itself runs on. */
export async function checkMachine(version: string): Promise<Finding[]> {
  const { platform, arch } = process;
  return [
    checkNode(process.versions.node),
    about('leasectl').ok(`${version} for ${platform} on ${arch}`),
    await checkSqlite(),
  ];
}

/** @param version e.g. `20.19.0` */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOldEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  const needed = `leasectl needs ${OLDEST.join('.')} or later`;
  if (isOldEnough) return about('node').ok(`${version}; ${needed}`);
  return about('node').fail(`${version}, but ${needed}`, {
    advice: 'Install a newer Node.js: https://nodejs.org/en/download',
  });
}

async function checkSqlite(): Promise<Finding> {
  try {
    const { sqliteVersion } = await import('../sqlite/database.ts');
    return about('sqlite').ok(`${sqliteVersion()}, from the native module`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return about('sqlite').fail(`the native module does not load: ${why.split('\n')[0]}`, {
      advice: 'Install leasectl anew on this machine, with its optional dependencies.',
    });
  }
}
