'use strict';

/*
 * Preloaded into a leasectl that runs a command: kills it at one moment of the beginning, or its
 * watchdog, and leasectl when it has just started another one. EXEC_MOMENT says which and when, e.g.
 * `leasectl command-started`.
 */

const childProcess = require('node:child_process');

const [victim, moment] = String(process.env.EXEC_MOMENT).split(' ');
const { spawn } = childProcess;
let watchdog;

function reach(what) {
  const pid = victim === 'leasectl' ? process.pid : watchdog?.pid;
  if (what === moment && pid !== undefined) process.kill(pid, 'SIGKILL');
}

function after(stream, method, then) {
  const call = stream[method].bind(stream);
  stream[method] = (...given) => {
    const result = call(...given);
    then();
    return result;
  };
}

childProcess.spawn = (file, args, options) => {
  const child = spawn(file, args, options);
  if (args.some((word) => word.endsWith('guard.js'))) {
    if (watchdog) process.kill(process.pid, 'SIGKILL');
    watchdog = child;
    after(child.stdin, 'write', () => reach('order-written'));
    reach('watchdog-started');
  } else {
    const gate = child.stdio.at(-1);
    if (gate) after(gate, 'end', () => reach('gate-opened'));
    reach('command-started');
  }
  return child;
};
