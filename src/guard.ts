import { systemClocks } from './supervise/moment.ts';
import { runWatchdog } from './supervise/watchdog.ts';

/*
 * The watchdog's process: see supervise/watchdog.ts.
 */

const { LEASECTL_ORDER: order } = process.env;
runWatchdog(process.stdin, systemClocks, order && JSON.parse(order)).then(() => process.exit());
