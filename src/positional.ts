import { string } from '@oclif/core/args';
import type { Completes } from './completion/surface.ts';

/*
 * oclif fills an argument that is missing from stdin, unless it is told not to. What comes there is a
 * flag's, e.g. a token, and must not become a key or a name.
 */

/** @param completes what a shell offers for it; nothing where that is left out */
export const required = (description: string, completes?: Completes) =>
  string({ description, required: true, ignoreStdin: true, ...(completes ? { completes } : {}) });

/** @param completes as of `required` */
export const optional = (description: string, completes?: Completes) =>
  string({ description, ignoreStdin: true, ...(completes ? { completes } : {}) });
