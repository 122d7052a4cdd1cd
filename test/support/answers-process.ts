/** A program that answers as a resident does, and looks for its gateway every so many milliseconds. */
import { type Answer, serveAnswers } from '../../src/targets/container/sidecar/inside/serve.ts';

const hello: Answer = async (stream) => stream.respond({ ':status': 200 }, { endStream: true });
const [, , lookEveryMs] = process.argv;
await serveAnswers(new Map([['/hello', hello]]), () => process.exit(0), undefined, Number(lookEveryMs));
