import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isJsonObject } from '../../src/domain/json.ts';
import { ANSWERS, answersOf, failuresTold } from '../support/json-answers.ts';
import { type Shape, shapeOf } from '../support/json-shape.ts';

/*
 * The shapes of all that programs read are frozen in json-shapes.snap.json: a change of that file is
 * to be reviewed, and anything but an addition is a new schema version. To write it anew:
 * npx vitest run --config test/vitest.config.ts test/acceptance/json-shapes.test.ts -u
 */

const SCHEMA_VERSION = 1;

const read = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const { commands } = JSON.parse(read('oclif.manifest.json'));
const ids = Object.keys(commands)
  .filter((id) => 'json' in commands[id].flags)
  .sort();

/** What kind of a thing a command tells, where it tells several. */
function kindOf(value: unknown): string {
  if (Array.isArray(value) && isJsonObject(value[0]) && 'setting' in value[0]) return 'settings';
  if (!isJsonObject(value)) return 'answer';
  if ('event' in value) return String(value['event']);
  if ('error' in value) return 'failure';
  if ('decision' in value) return 'decision on a tool';
  return 'method' in value ? 'request of --dry-run' : 'answer';
}

function shapeOfAll(values: readonly unknown[]): Shape {
  const kinds = [...new Set(values.map(kindOf))];
  if (kinds.length === 1) return shapeOf(values);
  return Object.fromEntries(
    kinds.map((kind) => [kind, shapeOf(values.filter((value) => kindOf(value) === kind))]),
  );
}

test('every command that answers in JSON is run here, and no other', () => {
  expect(Object.keys(ANSWERS).sort()).toEqual(ids);
});

test('no shape has changed', async () => {
  const shapes: [string, Shape][] = [];
  for (const id of ids)
    shapes.push([id.replaceAll(':', ' '), shapeOfAll((await answersOf(id)) ?? [])]);
  const found = {
    schema_version: SCHEMA_VERSION,
    failure: shapeOf(await failuresTold()),
    commands: Object.fromEntries(shapes),
  };
  await expect(`${JSON.stringify(found, null, 2)}\n`).toMatchFileSnapshot('json-shapes.snap.json');
});

test('the README tells the version', () => {
  expect(read('README.md')).toContain(`**schema version ${SCHEMA_VERSION}**`);
});
