// Makes constant what differs from run to run, and leaves everything else as the terminal showed it.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import stringWidth from 'string-width';

/** When everything of a page happens. */
const NOON = Date.parse('2026-11-22T12:00:00Z');
const UNITS = { d: 86_400, h: 3_600, m: 60, s: 1 };
/** How long leases last that say nothing of it, in seconds: of `exec`, of a job, of a key. */
const USUAL = [60, 120, 300];

const TIME = /(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(\.\d+)?(Z| \+00:00)/g;
const TIME_LEFT =
  /\d+[dhms](?: \d+[dhms])*(?= left\b| more\b)|(?<=(?:itself|free|ends) in |[█▉▊▋▌▍▎▏░] +)\d+[dhms](?: \d+[dhms])*|(?<="ttl_left": ?)\d+/g;
const RANDOM = [
  /\b(?:lease|lock|r?job|ack)_[0-9a-z]{16,}\b/g,
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g,
];
/** How long ago something was: nothing of a page takes minutes. */
const AGO = /\b\d+s ago\b|\bjust now\b/g;
/** How old a lease is, in the list that shows with a bar what is left of it. */
const AGE = /(?<=[█▉▊▋▌▍▎▏░].*│ )\d+s(?= +│)/g;
/** How long something took. */
const TOOK = /\b\d+(?= ms\b)/g;
/** A job in the background, as bash tells it, and a process, as leasectl does. */
const PROCESS = /(?<=^\[\d+\] |\b(?:process|pid) )\d+\b/g;
/** This machine. */
const HOST = new RegExp(`(?<=\\bon )${hostname().replaceAll('.', '\\.')}(?= by )`, 'g');
/** A step of a time line: its time is made as wide as that of the others. */
const STEP = /now +(?=[●┆] )/;
/** What tells of a lease in sentences: up to an empty line, broken where there is no more room. */
const SENTENCES = /^(?:Key|Job|Runner job) \S+ (?:is|waits|failed|fails) /;
const COLUMNS = 80;

/**
 * Gives the function that makes a page's lines constant.
 *
 * @param commands of the page: a lease counts as just taken, for as long as one of them says
 * @param home directory that is shown as `~`
 */
export function constantLines({ page, commands, home }) {
  const lifetimes = [...commands.join('\n').matchAll(/--ttl[ =](\w+)/g)].map(([, ttl]) =>
    seconds(ttl),
  );
  const known = [...USUAL, ...lifetimes].sort((a, b) => a - b);
  const fresh = (left) => known.find((lifetime) => lifetime >= left) ?? left;
  const ids = new Map();
  const sameForm = (id) => {
    if (!ids.has(id)) ids.set(id, disguise(id, `${page} ${ids.size}`));
    return ids.get(id);
  };

  return (lines, now = Date.now()) => {
    const moment = (_, day, between, time, fraction, zone) => {
      const left = (Date.parse(`${day}T${time}${fraction ?? ''}Z`) - now) / 1000;
      const [date, clock] = new Date(NOON + (left > 0 ? fresh(left) * 1000 : 0))
        .toISOString()
        .split('T');
      return `${date}${between}${clock.slice(0, 8)}${fraction?.replace(/\d/g, '0') ?? ''}${zone}`;
    };
    const timeLeft = (text) =>
      /\D/.test(text) ? inWords(fresh(seconds(text))) : String(fresh(Number(text)));
    const made = joined(lines).map((line) =>
      RANDOM.reduce((text, pattern) => text.replace(pattern, sameForm), line)
        .replaceAll(home, '~')
        .replaceAll(`@${hostname()}`, '@laptop')
        .replace(TIME, moment)
        .replace(TIME_LEFT, timeLeft)
        .replace(AGO, 'now')
        .replace(AGE, 'now')
        .replace(TOOK, '1')
        .replace(PROCESS, '4711')
        .replace(HOST, 'laptop')
        .replace(STEP, 'now '),
    );
    return withBoxes(made.flatMap((line, at) => (isWhole(made, at, 1) ? broken(line) : line)));
  };
}

/** Lines that sentences take at most. */
const MOST_LINES = 3;

/** Whether sentences begin there, and go on for so many lines at most, up to an empty one. */
function isWhole(lines, at, most) {
  const end = lines.indexOf('', at);
  return SENTENCES.test(lines[at]) && end > at && end - at <= most;
}

/** With sentences on one line: what is made constant in them may be of another length. */
function joined(lines) {
  const made = [];
  for (let at = 0; at < lines.length; at += 1) {
    const end = isWhole(lines, at, MOST_LINES) ? lines.indexOf('', at) : at + 1;
    made.push(lines.slice(at, end).join(' '));
    at = end - 1;
  }
  return made;
}

function broken(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (stringWidth(longer) <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A duration such as `14m 58s` or `90` in seconds. */
function seconds(text) {
  const parts = [...text.matchAll(/(\d+)([dhms]?)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + count * (UNITS[unit] ?? 1), 0);
}

function inWords(duration) {
  let rest = duration;
  const parts = Object.entries(UNITS).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count}${unit}` : '';
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** Another id that looks like it: letters and digits after its prefix, always the same for a name. */
function disguise(id, name) {
  const digits = createHash('sha256').update(name).digest('hex');
  const start = id.indexOf('_') + 1;
  let at = 0;
  return (
    id.slice(0, start) + id.slice(start).replace(/[0-9a-z]/g, () => digits[at++ % digits.length])
  );
}

/** Draws the boxes anew, as wide as what is in them now. */
function withBoxes(lines) {
  const made = [];
  let box = [];
  for (const line of lines) {
    if (!line.startsWith('┌') && box.length === 0) made.push(line);
    else box.push(line);
    if (!line.startsWith('└')) continue;
    made.push(...drawn(box));
    box = [];
  }
  return [...made, ...box];
}

function drawn(box) {
  const rows = box
    .filter((line) => line.startsWith('│'))
    .map((line) => line.split('│').slice(1, -1));
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column].trim()))),
  );
  const isRight = rows[0].map((_, column) => rows.some((row) => row[column].startsWith('  ')));
  const fitted = (cell, column) => {
    const pad = ' '.repeat(widths[column] - stringWidth(cell.trim()));
    return isRight[column] ? ` ${pad}${cell.trim()} ` : ` ${cell.trim()}${pad} `;
  };
  const rest = rows.map((row) => `│${row.map(fitted).join('│')}│`);
  return box.map((line) =>
    line.startsWith('│')
      ? rest.shift()
      : line
          .split(/(?=[┬┼┴┐┤┘])/)
          .map((part, column) =>
            column < widths.length ? part[0] + '─'.repeat(widths[column] + 2) : part,
          )
          .join(''),
  );
}
