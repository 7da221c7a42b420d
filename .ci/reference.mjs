// Writes what is made from the commands: oclif.manifest.json, and the command reference in the
// README. With --check it writes nothing and fails when either is out of date. Needs a build.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Config, Plugin } from '@oclif/core/config';
import { loadHelpClass } from '@oclif/core/help';

const root = fileURLToPath(new URL('..', import.meta.url));
const START = '<!-- reference: made by `npm run docs` -->\n';
const END = '<!-- /reference -->\n';

const config = await Config.load({ root });
const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
const Help = await loadHelpClass(config);

await declareCompletions();

const made = [
  ['oclif.manifest.json', `${JSON.stringify(inOrder(plugin.manifest), null, 2)}\n`],
  ['README.md', withReference(await readFile('README.md', 'utf8'), reference())],
];
const stale = [];
for (const [file, content] of made) {
  const current = await readFile(file, 'utf8').catch(() => '');
  if (current === content) continue;
  stale.push(file);
  if (!process.argv.includes('--check')) await writeFile(file, content);
}
if (process.argv.includes('--check') && stale.length > 0) {
  process.stderr.write(`Out of date: ${stale.join(', ')}. Run npm run docs and commit them.\n`);
  process.exitCode = 1;
}

/** oclif's manifest leaves out what it does not know: what a shell offers for a value. */
async function declareCompletions() {
  for (const command of plugin.commands) {
    const { args = {}, flags = {}, baseFlags = {} } = await command.load();
    const cached = plugin.manifest.commands[command.id];
    for (const [own, kept] of [
      [args, cached.args],
      [{ ...baseFlags, ...flags }, cached.flags],
    ]) {
      for (const [name, { completes, lists }] of Object.entries(own)) {
        if (completes) kept[name] = { ...kept[name], completes };
        if (lists) kept[name] = { ...kept[name], lists };
      }
    }
  }
}

/** The help of every command, as `--help` shows it at 100 columns. */
function reference() {
  const help = new Help(config, { maxWidth: 100, stripAnsi: true });
  return plugin.commands
    .filter(({ hidden }) => !hidden)
    .sort((a, b) => a.id.localeCompare(b.id))
    .map((command) => {
      const text = help.formatCommand(command).replace(/[ \t]+$/gm, '');
      return `### \`leasectl ${command.id.replaceAll(':', ' ')}\`\n\n\`\`\`\n${text.trim()}\n\`\`\`\n`;
    })
    .join('\n');
}

function withReference(readme, text) {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error('README.md has no place for the reference');
  return `${readme.slice(0, start + START.length)}\n${text}\n${readme.slice(end)}`;
}

/**
 * The commands in order, so that a change of the manifest is a change of a command; without what
 * classes only hand on to others: it stands among the flags and arguments of each already.
 */
function inOrder({ commands, ...rest }) {
  const ordered = Object.entries(commands)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([id, command]) => [
      id,
      Object.fromEntries(
        Object.entries(command).filter(([name]) => !/[a-z](Flags|Args)$/.test(name)),
      ),
    ]);
  return { commands: Object.fromEntries(ordered), ...rest };
}
