/*
 * The conditions of the two partial indexes for work, word for word: so a database sees that it can use
 * them.
 */
export const WAITING = 'work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at';
/** Work that waits may be closed, too: given back on its last try. */
export const OPEN =
  'cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries)';
export const LENT = `work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at AND ${OPEN}`;
