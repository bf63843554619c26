"use strict";
// usage: node drive.js VERSION TRANSPORT URL
// Drives one real client through every check of checks.js; one JSON line per check; exits 0 when all passed.

const { dial, report } = require("./dial");
const checks = require("./checks");

const [version, transport, url] = process.argv.slice(2);

async function main() {
  const open = (options) => dial(url, version, transport, options);
  const stage = { version, transport, url, open, socket: open(), other: open() };
  let passed = true;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(stage);
      report(name);
    } catch (error) {
      passed = report(name, error);
    }
  }
  return passed;
}

main().then((passed) => process.exit(passed ? 0 : 1));
