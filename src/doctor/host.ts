import type { Context } from '../context.ts';

/** What checks work with. */
export interface DoctorHost {
  readonly context: Context;
  /** leasectl's own. */
  readonly version: string;
  /** What each step may take, in milliseconds. */
  readonly timeout: number;
}
