/**
 * Files of which this process has, or had, connections, if only to look: when the library closes one is
 * not known, at the latest when Node takes its heap apart. On what never changes there are no locks: such
 * files are not among them.
 */
export const opened = new Set<string | undefined>();
