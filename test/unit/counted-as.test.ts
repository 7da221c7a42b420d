import { expect, test } from 'vitest';
import { callerOf, clientOf, strangerOf } from '../../src/server/counted-as.ts';

test.each([
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['2001:db8::1', '2001:db8:0:0:1::', true],
  ['2001:db8::2:3:4:5:6', '2001:db8:0:2::', true],
  ['2001:db8::2:3:4:5:6', '2001:db8::', false],
  ['::1', '::2', true],
  ['fe80::1%eth0', 'fe80::2%eth0', true],
  ['192.0.2.1', undefined, false],
])('%s and %s are one: %s', (one, other, expected) => {
  expect(strangerOf(one) === strangerOf(other)).toBe(expected);
});

test('of one name, but of another kind or namespace, is somebody else', () => {
  const counted = [
    callerOf({ kind: 'token', namespace: 'a', name: 'ci', scopes: [] }),
    callerOf({ kind: 'client', namespace: 'a', name: 'ci', scopes: [] }),
    callerOf({ kind: 'client', namespace: 'b', name: 'ci', scopes: [] }),
    callerOf(undefined),
    clientOf('ci'),
    strangerOf('ci'),
    strangerOf(undefined),
  ];
  expect(new Set(counted).size).toBe(counted.length);
});
