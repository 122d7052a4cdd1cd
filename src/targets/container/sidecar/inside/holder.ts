/**
 * Holds the files of its image at /proc/PID/root of another container, for as long as the gateway needs to start a
 * resident from there. Tells that pid, and ends with its stdin.
 */
import { openStdio } from './stdio.ts';

const exit = () => process.exit(0);
const stdio = openStdio();
stdio.on('end', exit).on('close', exit).on('error', exit).resume();
stdio.write(`${process.pid}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, exit);
// Whoever started it has long done what it is for.
setTimeout(exit, 60_000);
