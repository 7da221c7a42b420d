/**
 * Control characters, as a regular expression has them in brackets. They are those of Unicode's class Cc,
 * which are never going to be others; to look the class up takes a command longer than to use it.
 */
export const CONTROL = String.raw`\u0000-\u001f\u007f-\u009f`;

/** Characters that a terminal acts on, or that turn text around; none of them is seen. */
export const ACTING = new RegExp(
  String.raw`[${CONTROL}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]`,
  'g',
);
