import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { PLAIN, type Style, USUAL_LAYOUT } from '../../src/output/style.ts';
import { renderDetails, renderList } from '../../src/output/table.ts';

const style: Style = {
  ...USUAL_LAYOUT,
  isInteractive: true,
  columns: 80,
  paint: PLAIN,
  clean: (text) => text.replaceAll('SECRET', '***'),
};
const HEAD = ['JOB', 'TYPE', 'STATUS', 'ASSET', 'TRIES'];
const JOB = 'job_0mi9rw4p17a5cm23d0';
const ASSET = '05a9c2c1-55a4-4c8c-8e34-ba8b2c7e7a1d';
const ROWS = [
  [JOB, 'extract_facts', 'pending', ASSET, 3],
  [JOB, 'transcribe_audio', 'claimed', ASSET, 12],
];

describe('a list', () => {
  test('has numbers that end in one line', () => {
    const lines = renderList(
      ['NAME', 'TRIES', 'MIXED'],
      [
        ['a', 3, 1],
        ['b', 12, 'x'],
      ],
      style,
    );
    expect(lines.split('\n').slice(1, -1)).toEqual([
      '│ NAME │ TRIES │ MIXED │',
      '│ a    │     3 │ 1     │',
      '│ b    │    12 │ x     │',
    ]);
  });

  test('a column of numbers may have gaps, but not be empty', () => {
    expect(
      renderList(
        ['N', 'COUNT'],
        [
          ['a', ''],
          ['b', 7],
        ],
        style,
      ),
    ).toContain('│ b │     7 │');
    expect(renderList(['N', 'COUNT'], [['a', '']], style)).toContain('│ N │ COUNT │');
  });

  test.each([60, 70, 80, 100])('keeps what has to be copied at %i columns', (columns) => {
    const lines = renderList(HEAD, ROWS, { ...style, columns }).split('\n');
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    for (const line of lines.filter((line) => line.includes('job'))) {
      expect(line).toContain(JOB);
      expect(line).toMatch(/pending|claimed/);
    }
    expect(lines.filter((line) => line.includes('job'))).toHaveLength(2);
  });

  test('is never wider than the terminal', () => {
    const head = ['NAME', 'SERVICE', 'URL', 'DEFAULT', 'TOKEN', 'LAST USED'];
    const row = [
      'production',
      'onceonly',
      'https://api.onceonly.tech',
      'yes',
      'file …cdef',
      '5m ago',
    ];
    for (let columns = 24; columns <= 120; columns += 1) {
      const lines = renderList(head, [row, row], { ...style, columns }).split('\n');
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(columns);
    }
  });

  test('has no box where that takes the room', () => {
    const lines = renderList(HEAD, ROWS, { ...style, columns: 60 }).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^JOB +TYPE +STATUS +ASSET +TRIES$/);
    expect(lines[1]).toMatch(/^job_0mi9rw4p17a5cm23d0 {2}extr…\S+ +pending +05a\S*…\S+ +3$/);
  });

  test('has a line for each property where there is too little room', () => {
    const shown = renderList(HEAD, [...ROWS, ['job_x', '', 'claimed', '', 0]], {
      ...style,
      columns: 40,
    });
    expect(shown.split('\n')).toEqual([
      `JOB     ${JOB}`,
      'TYPE    extract_facts',
      'STATUS  pending',
      'ASSET   05a9c2c1-55a4-4c…34-ba8b2c7e7a1d',
      'TRIES   3',
      '',
      `JOB     ${JOB}`,
      'TYPE    transcribe_audio',
      'STATUS  claimed',
      'ASSET   05a9c2c1-55a4-4c…34-ba8b2c7e7a1d',
      'TRIES   12',
      '',
      'JOB     job_x',
      'STATUS  claimed',
      'TRIES   0',
    ]);
  });

  test('is not cut where it is to be wide', () => {
    const shown = renderList(HEAD, ROWS, { ...style, columns: 40, isWide: true });
    expect(shown).toContain(`│ ${JOB} │ extract_facts    │ pending │ ${ASSET} │     3 │`);
  });

  test('may be without a head, and then be nothing at all', () => {
    const bare = { ...style, hasHeader: false };
    expect(renderList(['NAME'], [['a']], bare)).toBe('┌───┐\n│ a │\n└───┘');
    expect(renderList(['NAME'], [], bare)).toBe('');
    expect(renderList(['NAME'], [], style)).toContain('NAME');
  });

  test('is tab-separated and whole in a pipe', () => {
    const pipe = { ...style, isInteractive: false, columns: 20 };
    expect(renderList(HEAD, ROWS.slice(0, 1), pipe)).toBe(
      `JOB\tTYPE\tSTATUS\tASSET\tTRIES\n${JOB}\textract_facts\tpending\t${ASSET}\t3`,
    );
    expect(renderList(['A'], [['x']], { ...pipe, hasHeader: false })).toBe('x');
    expect(renderList(['A'], [], { ...pipe, hasHeader: false })).toBe('');
  });
});

describe('details', () => {
  test('are cut, unless they are whole or to be wide', () => {
    const long = 'x'.repeat(60);
    const narrow = { ...style, columns: 40 };
    expect(renderDetails([['A', long]], narrow)).toMatch(/│ A │ x+…x+ │/);
    expect(renderDetails([['A', long, 'whole']], narrow)).toContain(`│ A │ ${long} │`);
    expect(renderDetails([['A', long]], { ...narrow, isWide: true })).toContain(`│ ${long} │`);
  });

  test('show no secret but what is to be shown as it is', () => {
    const pipe = { ...style, isInteractive: false };
    expect(
      renderDetails(
        [
          ['A', 'a SECRET'],
          ['B', 'b SECRET', 'whole'],
        ],
        pipe,
      ),
    ).toBe('A\ta ***\nB\tb SECRET');
  });
});
