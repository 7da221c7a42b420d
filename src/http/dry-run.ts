import type { HttpRequest } from './transport.ts';

/** A request that was not sent, with everything that it would have had on its way. */
export interface UnsentRequest extends Pick<HttpRequest, 'method' | 'headers' | 'body'> {
  readonly url: URL;
}

/**
 * Thrown in place of sending: that a command is only tried out. It is no failure, and passes
 * everything that deals with failures.
 */
export class DryRun extends Error {
  override readonly name = 'DryRun';
  readonly request: UnsentRequest;

  constructor(request: UnsentRequest) {
    super('a request was not sent, because this is a dry run');
    this.request = request;
  }
}
