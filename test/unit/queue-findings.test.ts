import { expect, test } from 'vitest';
import { findingsOf } from '../../src/queue/findings.ts';
import type { Standing, TypeTold } from '../../src/queue/standing.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 12, 0, seconds)).toISOString();
const NOW = 600;

const COUNTS = { pending: 2, ran_out: 0, claimed: 0, completed: 9, failed: 0, retried: 0 };
const CLAIMED = { oldest_pending_at: at(0), last_claimed_at: at(0), last_claimed_by: 'agent-7' };
const NEVER = { last_claimed_at: null, last_claimed_by: null };

const typeOf = (job_type: string, change: Partial<TypeTold> = {}): TypeTold => ({
  ...{ ...COUNTS, ...CLAIMED, job_type, required_capabilities: [], unclaimed_capabilities: [] },
  ...change,
});

function standing(change: Partial<Standing> = {}): Standing {
  return {
    ...{ source: 'jobs', now: at(NOW), counted: 11, is_whole: true, ...COUNTS, ...CLAIMED },
    ...{ oldest_pending_id: 'j', most_retried_id: null, types: [typeOf('a')], types_left_off: 0 },
    ...change,
  };
}

const found = (change: Partial<Standing>, profile?: string) =>
  findingsOf(standing(change), profile).map(({ code, message, next }) => [code, message, next]);

test('a queue of which nobody has claimed anything for long is idle', () => {
  const claim = 'leasectl jobs claim --next';
  const words = 'Nobody works: the last claim was 10m ago, by agent-7.';
  expect(found({})).toEqual([['idle', words, claim]]);
  expect(found({ last_claimed_by: null }, 'team')).toEqual([
    ['idle', 'Nobody works: the last claim was 10m ago.', `${claim} --profile team`],
  ]);
});

test.each([
  [{ last_claimed_at: at(NOW - 119) }, 'The queue moves: the last claim was 1m 59s ago.'],
  [{ claimed: 1 }, 'The queue moves: 1 job is being worked on.'],
  [{ claimed: 3 }, 'The queue moves: 3 jobs are being worked on.'],
])('one of short jobs, or of long ones, moves: %j', (change, words) => {
  expect(found(change)).toEqual([['at_work', words, null]]);
});

test('one in which nothing waits is empty, whatever failed before', () => {
  expect(found({ pending: 0, failed: 2 })).toEqual([
    ['failed', '2 jobs failed for good.', 'leasectl admin leases list --kind job --state failed'],
    ['empty', 'Nothing waits.', null],
  ]);
});

test('work that goes in circles is none that moves', () => {
  expect(found({ claimed: 1, retried: 1, most_retried_id: 'j 1' }, 'team')).toEqual([
    [
      'retried',
      '1 job was taken three times or more, and is not done: it may fail again and again.',
      "leasectl why 'j 1' --kind job --profile team",
    ],
  ]);
  const many =
    '2 jobs were taken three times or more, and are not done: they may fail again and again.';
  expect(found({ claimed: 1, retried: 2, most_retried_id: '-x' })).toEqual([
    ['retried', many, null],
  ]);
});

test('types that nobody claims come first, and those that are known not at all', () => {
  const needs = { required_capabilities: ['gpu', 'a b'], unclaimed_capabilities: ['gpu'] };
  const types = [
    typeOf('known'),
    typeOf('done', { ...NEVER, pending: 0 }),
    typeOf("it's", { ...NEVER, ...needs, pending: 1 }),
  ];
  const [first, second, ...others] = found({ types, ran_out: 1 });
  expect(first).toEqual([
    'never_claimed',
    "1 job of type it's waits, and nobody is known who ever claimed any, nor any that needs gpu.",
    "leasectl jobs claim --next --type 'it'\\''s' --capability gpu --capability 'a b'",
  ]);
  expect([second?.[0], others.map(([code]) => code)]).toEqual(['idle', ['ran_out']]);
});

test.each(['-x', 'a\nb', 'a\u202eb', 'x'.repeat(65)])('nobody is told to type %j', (type) => {
  const [first] = found({ types: [typeOf(type, NEVER)], claimed: 1 });
  expect(first).toMatchObject(['never_claimed', expect.any(String), null]);
});

test('ten types are told of one by one', () => {
  const types = Array.from({ length: 12 }, (_, index) => typeOf(`t${index}`, NEVER));
  expect(found({ types, claimed: 1 })).toHaveLength(10);
});
