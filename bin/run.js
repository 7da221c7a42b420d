#!/usr/bin/env node
'use strict';

const { dirname } = require('node:path');

if (process.argv[2] === '__complete') {
  // A shell asks while somebody types: what answers is small, and needs no code cache.
  require('../dist/complete.js').answer(dirname(__dirname), process.argv.slice(3));
} else {
  require('../dist/start.cjs').start(dirname(__dirname));
}
