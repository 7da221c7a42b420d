// Measures what is claimed of leasectl's speed, each claim in a file of its own, against what the same
// machine does at the same time. Needs a build.
// Usage: npm run bench -- [CLAIM…] [--short] [--json FILE] [--markdown] [--control] [--node 22,24]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { failing, markdown, table } from './harness.mjs';
import { machine } from './machine.mjs';

/** In the order in which they are measured. */
const CLAIMS = {
  start: 'Start',
  exec: 'While a command runs',
  serve: 'Service',
  postgres: 'Service on PostgreSQL',
  growth: 'With many leases',
  watch: 'Watching',
};
/** What has bounds: nothing else could fail. */
const SHORT = Object.keys(CLAIMS).filter((name) => name !== 'watch');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'string' },
    // The README's table besides.
    markdown: { type: 'boolean', default: false },
    // Of `start` alone: whether an added delay is seen, and other versions of Node.
    control: { type: 'boolean', default: false },
    node: { type: 'string' },
  },
});
for (const name of positionals) {
  if (!Object.hasOwn(CLAIMS, name)) {
    throw new Error(`there is no claim ${name}: there are ${Object.keys(CLAIMS).join(', ')}`);
  }
}
// It is named outright, and costs Node 20 as much as its own start.
delete process.env.NODE_EXTRA_CA_CERTS;

const { short: isShort } = values;
const date = new Date().toISOString();
const where = machine();
process.stdout.write(
  `${date.slice(0, 10)}, ${where.cores} × ${where.cpu}, ${where.memory}, ${where.kernel}, ${where.fileSystem}, Node ${where.node}\n`,
);
const claims = {};
const usual = isShort ? SHORT : Object.keys(CLAIMS);
for (const name of positionals.length > 0 ? positionals : usual) {
  const progress = (text) => process.stderr.write(`${name}: ${text}\n`);
  const { measure } = await import(`./${name}.mjs`);
  const begun = performance.now();
  const nodes = values.node?.split(',') ?? [];
  const rows = await measure({ isShort, progress, isControl: values.control, nodes });
  progress(`took ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  process.stdout.write(`\n${table(CLAIMS[name], rows)}`);
  claims[name] = rows;
}
if (values.json !== undefined) {
  const results = { date, machine: where, isShort, claims };
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
}
const measured = Object.values(claims).flat();
if (values.markdown) process.stdout.write(`\n${markdown(measured)}`);
const failed = failing(measured, isShort);
for (const { what } of failed) {
  const how = isShort ? ', by far' : '';
  process.stderr.write(`${what}: its bound does not hold${how}.\n`);
}
process.exitCode = failed.length > 0 ? 1 : 0;
