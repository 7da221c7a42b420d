/** Who asks, as far as that is known. */
export interface Requester {
  readonly caller: string | null;
  /** By which logs know the request. */
  readonly requestId: string | null;
}

export const NOBODY: Requester = { caller: null, requestId: null };
