/* The program `millrace`; bin/millrace.mjs starts it. */
import { exitCodes } from './exit-codes.ts';
import { nodeContext } from './node-context.ts';
import { runCommandLine } from './program.ts';

const context = nodeContext();
const { environment } = context;
// `millrace … | head` has seen enough: nothing that follows would be read.
environment.onOutputClosed(() => environment.exitNow(exitCodes.interrupted));
environment.exitLater(await runCommandLine(context));
