// What all benchmarks share: how they are repeated, and what becomes of what they measured.

/**
 * One figure of a benchmark.
 *
 * @typedef {object} Row
 * @property {string} what
 * @property {number} [value]
 * @property {string} [unit] of the value, and of the base's
 * @property {{ what: string, value: number }} [base] what the same machine did in the same run
 * @property {number} [ratio] the value as a multiple of the base's
 * @property {{ most?: number, least?: number }} [bound] of the ratio; without a base, of the value
 * @property {string} [missing] why it was not measured, in place of a value
 */

/** @returns {number} NaN when there are no values */
export function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** @returns {Row} with the ratio that its value and its base have */
export function compared(what, value, unit, base, bound) {
  return { what, value, unit, base, ratio: value / base.value, bound };
}

/**
 * Does all works once, which is not counted, and then round after round each of them once, in another
 * order each time: so a machine that slows down slows them all, and none always follows the same one.
 *
 * @param {Readonly<Record<string, (round: number) => number | Promise<number>>>} works
 * @param {number} rounds
 * @returns {Promise<Record<string, number[]>>} what each gave, by its name
 */
export async function interleaved(works, rounds) {
  const names = Object.keys(works);
  const values = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await works[name](0);
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of shuffled(names)) values[name].push(await works[name](round));
  }
  return values;
}

function shuffled(names) {
  const order = names.map((name) => ({ name, at: Math.random() }));
  return order.sort((one, other) => one.at - other.at).map(({ name }) => name);
}

/**
 * How far a figure is from what it is to be.
 *
 * @param {Row} row
 * @returns {number | undefined} 1 where it is just so, 2 where it is twice as bad; undefined without a bound
 */
export function offBy({ value, base, ratio, bound, missing }) {
  if (bound === undefined || missing !== undefined) return undefined;
  const figure = base === undefined ? value : ratio;
  const { most, least } = bound;
  const over = most === undefined ? 0 : figure / most;
  const under = least === undefined ? 0 : least / figure;
  // What could not be computed is not good.
  return Number.isNaN(figure) ? Number.POSITIVE_INFINITY : Math.max(over, under);
}

/** A short run, on a machine that others use, too, fails only for what is quite another figure. */
const TOLERANCE = { short: 2, long: 1 };

/**
 * Rows that are worse than their bounds: in a short run, by more than the factor 2.
 *
 * @param {readonly Row[]} rows
 * @param {boolean} isShort
 */
export function failing(rows, isShort) {
  const tolerance = isShort ? TOLERANCE.short : TOLERANCE.long;
  return rows.filter((row) => (offBy(row) ?? 0) > tolerance);
}

/** Digits that say as much as was measured. */
function short(number) {
  if (Number.isInteger(number)) return String(number);
  const size = Math.abs(number);
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4);
}

function cellsOf(row) {
  const { what, value, unit, base, ratio, bound, missing } = row;
  if (missing !== undefined) return [what, '-', `not measured: ${missing}`, '', '', ''];
  const limits = [
    bound?.least === undefined ? [] : [`at least ${short(bound.least)}`],
    bound?.most === undefined ? [] : [`at most ${short(bound.most)}`],
  ].flat();
  const off = offBy(row);
  return [
    what,
    `${short(value)} ${unit}`,
    base === undefined ? '' : `${base.what}: ${short(base.value)} ${unit}`,
    base === undefined ? '' : short(ratio),
    limits.join(', '),
    off === undefined ? '' : off <= 1 ? 'holds' : 'DOES NOT HOLD',
  ];
}

const HEAD = ['measured', 'beside', 'ratio', 'bound', ''];
const IS_NUMBER = [false, true, false, true, false, false];

/**
 * The rows as lines for people.
 *
 * @param {string} title
 * @param {readonly Row[]} rows
 */
export function table(title, rows) {
  const lines = [[title, ...HEAD], ...rows.map(cellsOf)];
  const widths = IS_NUMBER.map((_, column) =>
    Math.max(...lines.map((line) => line[column].length)),
  );
  const pad = (cell, column) =>
    IS_NUMBER[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  return lines.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('');
}

/**
 * The rows that have bounds, as the README has them.
 *
 * @param {readonly Row[]} rows
 */
export function markdown(rows) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  const bounded = rows.filter(({ bound, missing }) => bound !== undefined && missing === undefined);
  return [
    line(['', 'measured', 'beside', 'ratio', 'bound']),
    line(['---', '---:', '---', '---:', '---']),
    ...bounded.map((row) => line(cellsOf(row).slice(0, 5))),
  ].join('');
}
