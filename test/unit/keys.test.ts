import { describe, expect, test } from 'vitest';
import { keyBegun, keysIn } from '../../src/terminal/keys.ts';

describe('keys', () => {
  test.each([
    ['\u001b[A', ['up']],
    ['\u001bOB', ['down']],
    ['\u001b[5~\u001b[6~', ['page-up', 'page-down']],
    ['\u001b[H\u001b[4~', ['home', 'end']],
    ['\r', ['enter']],
    ['\u007f', ['backspace']],
    ['\u0003\u001a\u000c', ['ctrl-c', 'ctrl-z', 'ctrl-l']],
    ['jé🐈 /', ['j', 'é', '🐈', ' ', '/']],
    ['a\u001b[Ab', ['a', 'up', 'b']],
    // Pasted, a mouse, a function key, and what nobody has.
    ['\u001b[200~x\u001b[201~', ['x']],
    ['\u001b[<0;10;10Mq', ['q']],
    ['\u001b[15;2~q', ['q']],
    ['\u0001\u0000q', ['q']],
  ])('%j', (text, keys) => {
    expect(keysIn(text)).toEqual({ keys, rest: '' });
  });

  test.each(['\u001b', '\u001b[', '\u001b[1;', '\u001bO'])('%j may be a part of one', (rest) => {
    expect(keysIn(`x${rest}`)).toEqual({ keys: ['x'], rest });
  });

  test('the escape key is one of which no more comes', () => {
    expect(keyBegun('\u001b')).toEqual(['escape']);
    expect(keyBegun('\u001b[1')).toEqual([]);
  });

  test('escape, and another key after it', () => {
    expect(keysIn('\u001bq')).toEqual({ keys: ['escape', 'q'], rest: '' });
  });
});
