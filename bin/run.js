#!/usr/bin/env node
'use strict';

const { dirname } = require('node:path');
const { start } = require('../dist/start.js');

start(dirname(__dirname));
