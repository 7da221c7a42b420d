import { expect } from 'vitest';
import { refusal } from './hosted-answers.ts';
import type { Person } from './person.ts';

export const TOKEN = 'typed_canary_0123456789';
export const ACCEPTED = refusal(404, 'not_found');
export const SERVICE = /\? Which service is it for\?\n❯/;
export const NAME = /\? Name of the profile\? .*$/;
export const BASE_URL = /\? Base URL\?.*$/;
export const WAY = /\? How do you authenticate\?\n(❯| )/;
export const SECRET = /\? Token\?( \(empty: it stays as it is\))? \[input is masked\]$/;

/** As it is right below the last question: nothing was typed yet. */
export async function upTo(
  person: Person,
  last: RegExp,
  url = 'http://127.0.0.1:1',
): Promise<void> {
  person.type('leasectl profile add');
  const steps: [RegExp, string?][] = [
    [SERVICE],
    [NAME, 'mine'],
    [BASE_URL, url],
    [WAY],
    [SECRET, TOKEN],
  ];
  for (const [question, answer] of steps) {
    if (question === last) break;
    await person.answers(question, answer);
  }
  await person.sees(last);
}

export function expectHidden(person: Person): void {
  for (const part of [TOKEN, TOKEN.slice(0, 9), TOKEN.slice(-9)]) {
    expect(person.sent()).not.toContain(part);
  }
}

/** The terminal is as the shell wants it: typing is shown, and so is the cursor. */
export async function expectUsable(person: Person): Promise<void> {
  person.type("stty -a | grep -o ' -\\?echo ' | tr -d ' ' | sed 's/^/is /'");
  await person.sees(/\nis echo\n\$$/);
  const lastShown = person.sent().lastIndexOf('\u001b[?25h');
  expect(lastShown).toBeGreaterThanOrEqual(person.sent().lastIndexOf('\u001b[?25l'));
}
