export const KEYS_LINE = 'enter inspect  e extend  b break  s sort  / filter  ? help  q quit';

export const helpLines: readonly string[] = [
  '',
  '  up down, j k     select a lease; page up and down, home and end, too',
  '  enter, i         what why says of it',
  '  e                extend it, where this machine holds it',
  '  b                break it: you are asked why, and for its name',
  '  s                sort by attention, name, time left, age or holder',
  '  /                show only leases with some words; escape ends that',
  '  ?                this page',
  '  q, ctrl-c        quit; ctrl-z suspends',
  '',
  '  held       its holder has time left',
  '  late       it was renewed regularly, and a renewal is overdue',
  '  suspended  the process that keeps it is stopped; gone: it is no more',
  '  ending     hardly any time is left',
  '  expired    its holder let it run out; broken: it was taken from him',
  '  no answer  the service does not answer: what is shown is what it told last',
];
