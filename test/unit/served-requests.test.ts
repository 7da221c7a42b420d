import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { NOBODY } from '../../src/domain/requester.ts';
import { healthRoutes } from '../../src/server/health.ts';
import { createLog, type LogLevel, logAnswered } from '../../src/server/log.ts';
import { isLoopback } from '../../src/server/loopback.ts';
import { type Answered, requestIdOf } from '../../src/server/request-notes.ts';

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['LocalHost', true],
  ['leases.localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['127.0.0.1.example', false],
  ['localhost.example', false],
  ['notlocalhost', false],
  ['', false],
])('%s is of this machine alone: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  ['build-7.1', 'build-7.1'],
  ['00-4bf9/a=b:c@d+e', '00-4bf9/a=b:c@d+e'],
  ['a'.repeat(129), 'made'],
  ['two words', 'made'],
  ['{"a":1}', 'made'],
  ['é', 'made'],
  ['', 'made'],
  [undefined, 'made'],
  [['a', 'b'], 'made'],
])('the id %j becomes %s', (given, expected) => {
  expect(requestIdOf(given, () => 'made')).toBe(expected);
});

function logged(level: LogLevel, answered: Partial<Answered>): unknown[] {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog(write, level, (text) => text.replaceAll('a-password', '***'));
  const request = { notes: { id: 'r' }, method: 'GET', status: 200, remote: '::1' };
  logAnswered(log, { milliseconds: 1.23456, ...request, ...answered });
  return lines.map((line) => JSON.parse(line));
}

describe('the log', () => {
  test('tells a failure in its words, and of any other error only where it was', () => {
    const cause = Object.assign(new TypeError('with a handle'), { code: 'E1' });
    const failure = new Failure('unavailable', 'a-password is away.', { cause });
    const told = logged('info', { status: 503, notes: { id: 'r', error: failure } });
    const inner = { type: 'TypeError', code: 'E1' };
    const err = { type: 'Failure', code: 'unavailable', message: '*** is away.', cause: inner };
    expect(told).toMatchObject([{ level: 'error', request_id: 'r', status: 503, ms: 1.2, err }]);
    expect(Object(told[0]).err).toEqual(err);
    const bug = logged('info', { status: 500, notes: { id: 'r', error: cause } });
    const place = expect.stringMatching(/^at .*served-requests\.test\.ts/);
    expect(bug).toMatchObject([{ err: { ...inner, stack: expect.arrayContaining([place]) } }]);
    expect(JSON.stringify([told, bug])).not.toContain('with a handle');
  });

  test('has health checks for who wants everything', () => {
    const check = { notes: { id: 'r', route: '/readyz' } };
    expect(logged('info', check)).toEqual([]);
    expect(logged('debug', check)).toMatchObject([{ level: 'debug', route: '/readyz' }]);
    const bad = { ...check, status: 503 };
    expect(logged('info', bad)).toMatchObject([{ level: 'warn', route: '/readyz' }]);
  });

  test('does not blame the service for who has gone', () => {
    const gone = { notes: { id: 'r', error: new Error('gone') }, status: undefined };
    expect(logged('info', gone)).toMatchObject([{ level: 'info', status: null }]);
  });
});

describe('readiness', () => {
  const request = {
    params: {},
    query: new URLSearchParams(),
    header: () => undefined,
    body: '',
    by: NOBODY,
  };
  const answerOf = async (check: () => Promise<void>, isStopping = false) => {
    const routes = healthRoutes({ check, isStopping: () => isStopping });
    const ready = routes.find(({ path }) => path === '/readyz');
    const answer = await ready?.handle(request);
    return [answer?.status, answer?.body];
  };

  test('is the database’s, until the node stops', async () => {
    const away = async () => {
      throw new Failure('unavailable', 'It is away.');
    };
    expect(await answerOf(async () => undefined)).toEqual([200, '{"status":"ready"}']);
    expect(await answerOf(away)).toEqual([503, '{"status":"unavailable"}']);
    expect(await answerOf(async () => undefined, true)).toEqual([503, '{"status":"stopping"}']);
  });

  test('looks once for all who ask meanwhile', async () => {
    let looks = 0;
    const ends: (() => void)[] = [];
    const check = () => {
      looks += 1;
      return new Promise<void>((resolve) => ends.push(resolve));
    };
    const [, ready] = healthRoutes({ check, isStopping: () => false });
    const answers = [1, 2, 3].map(() => ready?.handle(request));
    ends[0]?.();
    for (const answer of answers) expect((await answer)?.status).toBe(200);
    expect(looks).toBe(1);
    const later = ready?.handle(request);
    ends[1]?.();
    await later;
    expect(looks).toBe(2);
  });
});
