import { string } from '@oclif/core/args';

/*
 * oclif fills an argument that is missing from stdin, unless it is told not to. What comes there is a
 * flag's, e.g. a token, and must not become a key or a name.
 */

export const required = (description: string) =>
  string({ description, required: true, ignoreStdin: true });

export const optional = (description: string) => string({ description, ignoreStdin: true });
