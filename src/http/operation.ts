import type * as z from 'zod/mini';
import type { Route } from './route.ts';

/** A schema with the name that it has in the description of the service. */
export interface Named {
  readonly name: string;
  readonly schema: z.ZodMiniType;
  /** Of an answer: fields that are not always there, at whatever depth. */
  readonly sometimes?: readonly string[];
}

export interface DescribedAnswer {
  readonly description: string;
  /** Undefined for an answer without a body. */
  readonly body?: Named | undefined;
  /** Of the body; JSON where it is not given. */
  readonly contentType?: string;
}

/** An endpoint as it is described to those who call it. */
export interface Operation extends Pick<Route, 'method' | 'path' | 'scope'> {
  /** Unique. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** An object with a field for each parameter. */
  readonly query?: z.ZodMiniType;
  /** Whether it takes an `Idempotency-Key`, and has to get one. */
  readonly idempotencyKey?: 'optional' | 'required';
  /** Other headers that it takes: what each is for. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Named;
  readonly isBodyOptional?: boolean;
  /** Of the body; JSON where it is not given. */
  readonly bodyType?: string;
  /** The form in which it refuses, where that is another than its dialect's. */
  readonly error?: Named;
  /** By status. What every endpoint may answer is not among them. */
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
}

/** What the endpoints of a dialect have in common. */
export interface DescribedDialect {
  readonly tag: string;
  readonly description: string;
  /** The form in which it refuses. */
  readonly error: Named;
  /** Also takes a token as `Basic`, without a user. */
  readonly takesBasic?: boolean;
  readonly operations: readonly Operation[];
}
