import { formatDuration } from '../domain/duration.ts';
import type { Layout, Style } from './style.ts';

type Zone = Pick<Layout, 'isUtc'>;

/** A moment in the local zone, `2025-01-15 11:30:00 +01:00`, or in UTC, `2025-01-15 10:30:00Z`. */
export function shownTime(milliseconds: number, { isUtc }: Zone): string {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return 'beyond all times';
  if (isUtc) return `${date.toISOString().slice(0, -5).replace('T', ' ')}Z`;
  const pad = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
  const offset = -date.getTimezoneOffset();
  const zone = `${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${day} ${time} ${offset < 0 ? '-' : '+'}${zone}`;
}

/** The parts of a service's time, for where the day is told once; as it came when it is none. */
export function timeOfDay(text: string, zone: Zone): { date: string; time: string } {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) return { date: '', time: text };
  const [date = '', time = ''] = shownTime(milliseconds, zone).split(' ');
  return { date, time };
}

/** The end of a lease, and how far it is: `2025-01-15 11:30:00 +01:00 (14m 59s left)`. */
export function timeLeft(milliseconds: number, now: number, zone: Zone): string {
  return `${shownTime(milliseconds, zone)} (${leftOf(milliseconds, now)})`;
}

function leftOf(milliseconds: number, now: number): string {
  const seconds = Math.ceil((milliseconds - now) / 1000);
  return seconds > 0 ? `${formatDuration(seconds)} left` : 'over';
}

/** The same of a service's time, in a list. Who reads it later, or asks for UTC, gets the time, too. */
export function shownEnd(text: string, now: number, style: Style): string {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) return text;
  const isLeft = style.isInteractive && !style.isUtc;
  return isLeft ? leftOf(milliseconds, now) : timeLeft(milliseconds, now, style);
}

/** How long ago a moment was: `5m ago`. */
export function timeAgo(milliseconds: number, now: number): string {
  const seconds = Math.floor((now - milliseconds) / 1000);
  return seconds > 0 ? `${formatDuration(seconds)} ago` : 'now';
}

/** A service's time as it is to be shown; as it came when it is none. */
export function serviceTime(text: string | null | undefined, zone: Zone): string | undefined {
  if (!text) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? text : shownTime(milliseconds, zone);
}

/** A service's time that is over, and how long ago that was: `2025-01-15 11:30:00 +01:00 (5m ago)`. */
export function pastTime(text: string, now: number, zone: Zone): string {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) return text;
  return `${shownTime(milliseconds, zone)} (${timeAgo(milliseconds, now)})`;
}

/** The same in a list. Who reads it later, or asks for UTC, gets the time itself. */
export function shownPast(text: string | null, now: number, style: Style): string {
  if (text === null) return '';
  const isAgo = style.isInteractive && !style.isUtc && !Number.isNaN(Date.parse(text));
  return isAgo ? timeAgo(Date.parse(text), now) : (serviceTime(text, style) ?? '');
}
