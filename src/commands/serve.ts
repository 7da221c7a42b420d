import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boolean, option, string } from '@oclif/core/flags';
import { colorFlags } from '../answer-view.ts';
import { BaseCommand } from '../base-command.ts';
import { endAnyway } from '../end-anyway.ts';
import { isPostgres } from '../open-store.ts';
import { faultsOf } from '../serve/faults.ts';
import {
  addFirstToken,
  LOG_LEVELS,
  parseWhole,
  type ServeOptions,
  tlsFilesOf,
} from '../serve/options.ts';
import type { Place } from '../serve/serve.ts';
import { visible } from '../terminal/visible.ts';

/** What was given up may hang on for so many milliseconds. */
const LAST_CALL = 500;

export default class Serve extends BaseCommand {
  // It prints where it listens, of which there is nothing to choose.
  static override readonly baseFlags = { ...colorFlags };
  static override readonly summary = 'Serve the embedded service on a port, for a team';
  static override readonly description = [
    'All three contracts stand side by side: point the services’ own SDKs, or a profile of leasectl,',
    'at the URL that is printed. stderr has a line of JSON for each request. SIGTERM stops it: the',
    'requests in flight are finished, and it ends with 0 within 10 seconds. As long as there is no',
    'token everybody on this machine may everything, and nobody else gets in.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> serve',
    '<%= config.bin %> serve --database team.db --json',
  ];
  static override readonly flags = {
    host: string({
      description: 'Address to listen at; another than loopback needs a token',
      helpValue: 'HOST',
      default: '127.0.0.1',
    }),
    port: string({
      description: 'Port to listen at; 0 for any that is free',
      helpValue: 'PORT',
      default: '4040',
    }),
    database: string({
      description:
        'What to serve: a SQLite file, or postgres://…, with its password rather in LEASECTL_DATABASE [default: LEASECTL_DATABASE, or that of the local profile]',
      helpValue: 'FILE|URL',
    }),
    'tls-cert': string({
      description: 'Certificate to encrypt connections with, in PEM; SIGHUP has it read again',
      helpValue: 'FILE',
    }),
    'tls-key': string({ description: 'The key of the certificate, in PEM', helpValue: 'FILE' }),
    rate: string({
      description: 'Requests that each token may make in a second; 0 for any number',
      helpValue: 'NUMBER',
      default: '500',
    }),
    'max-leases': string({
      description: 'Leases that each namespace may store',
      helpValue: 'NUMBER',
      default: '1000000',
    }),
    fault: string({
      description:
        'Faults to make on purpose, for testing workers: lose=10s,rate-limit=5%,latency=200ms..2s,drop-answer=1%,seed=42',
      helpValue: 'LIST',
    }),
    'fault-on-postgres': boolean({
      description: 'Make faults on PostgreSQL, too, which others may share',
      dependsOn: ['fault'],
    }),
    'log-level': option({
      description: 'From which kind of line on the log has them',
      options: LOG_LEVELS,
      default: 'info' as const,
    })(),
  };

  protected async execute(): Promise<number> {
    const { flags } = await this.parse(Serve);
    const { env, paths, redactor, terminal } = this.context;
    terminal.waitForNobody();
    const location = flags.database ?? (env['LEASECTL_DATABASE'] || paths.leases);
    const options: ServeOptions = {
      database: isPostgres(location) ? 'URL' : location,
      host: flags.host,
      port: parseWhole(flags.port, '--port', 0, 65_535),
      tls: tlsFilesOf(flags['tls-cert'], flags['tls-key']),
      rate: parseWhole(flags.rate, '--rate', 0, 1_000_000),
      capacity: parseWhole(flags['max-leases'], '--max-leases', 1, 1_000_000_000),
      faults: await faultsOf({
        text: flags.fault,
        isUsual: location === paths.leases,
        isShared: isPostgres(location),
        isForced: flags['fault-on-postgres'],
      }),
    };
    const [{ openStore }, { serve }, { processHost }] = await Promise.all([
      import('../open-store.ts'),
      import('../serve/serve.ts'),
      import('../serve-host.ts'),
    ]);
    const isNew = !isPostgres(location) && !existsSync(location);
    const store = await openStore({
      location,
      env,
      remember: (secret) => redactor.addCredential(secret),
    });
    this.context.onClose(() => store.close());
    const host = processHost(this.context, flags['log-level']);
    // One that is misspelt would be, too: with nothing in it, and open to all.
    if (isNew) host.log.warn({ database: location }, 'a new database was made');
    await serve(store, options, {
      ...host,
      openApi: () => readFile(join(this.config.root, 'dist', 'openapi.json'), 'utf8'),
      onListening: (place) => this.#tell(place, options),
    });
    return 0;
  }

  override async finally(): Promise<void> {
    // From now on it ends, whatever hangs on: whoever stops it has not long to wait.
    endAnyway(LAST_CALL);
    await super.finally();
  }

  #tell({ url, isOpen, faults }: Place, options: ServeOptions): void {
    const { terminal } = this.context;
    if (this.jsonEnabled()) {
      terminal.writeOut(JSON.stringify({ url, open: isOpen, faults: faults ?? null }));
    } else {
      terminal.writeOut(visible(`Listening on ${url}`));
      if (faults) terminal.writeOut(visible(`Faults on purpose: ${faults}`));
    }
    if (!terminal.isInteractive('stderr')) return;
    if (isOpen) {
      this.notice(
        `There is no token yet: everybody on this machine may everything. For the first one: ${addFirstToken(options)}`,
      );
    }
    this.notice('Ctrl-C stops it.');
  }
}
