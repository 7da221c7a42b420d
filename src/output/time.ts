import { formatDuration } from '../domain/duration.ts';

/** A moment in the local zone, with its offset: `2025-01-15 11:30:00 +01:00`. */
export function localTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const pad = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
  const offset = -date.getTimezoneOffset();
  const zone = `${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${day} ${time} ${offset < 0 ? '-' : '+'}${zone}`;
}

/** A moment to come, and how far it is: `2025-01-15 11:30:00 +01:00 (14m 59s left)`. */
export function timeLeft(milliseconds: number, now: number): string {
  const seconds = Math.ceil((milliseconds - now) / 1000);
  return `${localTime(milliseconds)} (${formatDuration(seconds)} left)`;
}

/** A service's time as local time; as it came when it is none. */
export function serviceTime(text: string | null | undefined): string | undefined {
  if (!text) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? text : localTime(milliseconds);
}
