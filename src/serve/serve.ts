import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import type { Store } from '../engine/store.ts';
import { accessOn } from '../engines.ts';
import { type Identity, readIdentity } from '../http/tls-files.ts';
import { describeFaults } from '../server/faults.ts';
import { addressOf, type Listening, listen } from '../server/listen.ts';
import type { Log } from '../server/log.ts';
import { isLoopback } from '../server/loopback.ts';
import type { SignalSource } from '../supervise/supervisor.ts';
import { addFirstToken, type ServeOptions } from './options.ts';
import { createService, type Service } from './service.ts';

/** What serving needs of its process. */
export interface ServeHost {
  readonly log: Log;
  /** Gives the description of the service, as JSON. */
  readonly openApi: () => Promise<string>;
  readonly signals: SignalSource;
  /** Ends the process at once, as one that died of a signal does. */
  readonly die: (signal: StopSignal) => void;
  /** Told when requests are answered. */
  readonly onListening: (place: Place) => void;
}

export interface Place {
  readonly url: string;
  /** Whether everybody who reaches it may everything. */
  readonly isOpen: boolean;
  /** The faults that are made on purpose, as they are written. */
  readonly faults?: string;
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** How long those who balance nodes get to see that this one is not ready, in milliseconds. */
const NOTICE = 1_500;
/** How long requests in flight may take from then on, and what is done beside them, likewise. */
const LAST_REQUESTS = 6_000;
const LAST_WORK = 1_000;

/**
 * Serves what is in a store until a signal comes: then this node is not ready any more, the requests
 * in flight are finished, and it ends, all within 10 seconds.
 *
 * @throws Failure `usage` for an address that is not to be had, or not without a token; for PEM
 *   files as {@link readIdentity}; `unavailable` as the store
 */
export async function serve(store: Store, options: ServeOptions, host: ServeHost): Promise<void> {
  const { log, openApi, signals } = host;
  const address = await addressOf(options.host);
  const isOpen = await accessOn(store).isOpen();
  if (isOpen && !isLoopback(address)) throw tokenFirst(options);
  const keyPair = options.tls && identityOf(options.tls, log);
  const service = createService({ ...options, store, isGuarded: !isOpen, log, openApi });
  const listening = await listen({ ...service, host: address, port: options.port, keyPair });
  const forget = rereading(options.tls, listening, host);
  const stopped = untilSignal(signals);
  const { url } = listening;
  log.info({ url, open: isOpen }, 'listening');
  if (!options.tls && !isLoopback(address)) {
    log.warn('tokens and handles travel unencrypted, unless a proxy encrypts them');
  }
  service.start();
  const told = options.faults ? { faults: describeFaults(options.faults) } : {};
  host.onListening({ url, isOpen, ...told });
  const signal = await stopped;
  const restore = STOP_SIGNALS.map((again) => signals.on(again, () => host.die(again)));
  log.info({ signal }, 'stopping');
  await stop(service, listening, signal, log);
  for (const end of [...restore, forget]) end();
}

function untilSignal(signals: SignalSource): Promise<StopSignal> {
  return new Promise((resolve) => {
    const subscriptions = STOP_SIGNALS.map((signal) =>
      signals.on(signal, () => {
        for (const end of subscriptions) end();
        resolve(signal);
      }),
    );
  });
}

async function stop(
  service: Service,
  listening: Listening,
  signal: StopSignal,
  log: Log,
): Promise<void> {
  service.beginStop();
  listening.beginDrain();
  // A person who pressed Ctrl-C waits for it.
  if (signal !== 'SIGINT') await delay(NOTICE);
  const cut = await listening.close(LAST_REQUESTS);
  await Promise.race([service.stop(), delay(LAST_WORK, undefined, { ref: false })]);
  if (cut > 0) log.warn({ requests: cut }, 'requests were cut off');
  log.info('stopped');
}

function identityOf({ certFile, keyFile }: NonNullable<ServeOptions['tls']>, log: Log): Identity {
  const identity = readIdentity(certFile, keyFile, { cert: '--tls-cert', key: '--tls-key' });
  const told = { until: identity.end.toISOString() };
  if (identity.end.getTime() < Date.now()) log.warn(told, 'the certificate has run out');
  else log.info(told, 'the certificate was read');
  return identity;
}

/**
 * Certificates are renewed while they are served: SIGHUP has the files read again. Where there are
 * none, it ends nothing either.
 */
function rereading(
  tls: ServeOptions['tls'],
  listening: Listening,
  { signals, log }: ServeHost,
): () => void {
  return signals.on('SIGHUP', () => {
    if (!tls) {
      log.info('there is no certificate to read again');
      return;
    }
    try {
      listening.useKeyPair(identityOf(tls, log));
    } catch (error) {
      log.error({ err: error }, 'the certificate stays as it was');
    }
  });
}

function tokenFirst(options: ServeOptions): Failure {
  const message = `${options.host} is more than this machine, and there is no token yet.`;
  return new Failure('usage', message, { hint: `Make the first one: ${addFirstToken(options)}` });
}
