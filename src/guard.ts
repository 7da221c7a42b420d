import { systemClocks } from './supervise/moment.ts';
import { runWatchdog } from './supervise/watchdog.ts';

/*
 * The watchdog's process: see supervise/watchdog.ts.
 */

runWatchdog(process.stdin, systemClocks).then(() => process.exit());
