import { Socket } from 'node:net';

/**
 * What is written in one turn of the event loop leaves together: each way into the system takes longer
 * than what is written, and so does waking whoever reads it. The driver corks it for each message.
 */
export class GatheringSocket extends Socket {
  override uncork(): void {
    process.nextTick(() => super.uncork());
  }
}
