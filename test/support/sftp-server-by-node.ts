/** An sftp-server over the file operations by Node, for `sftp -D`. */
import { createNodeFiles } from '../../src/targets/container/sftp/node-files.ts';
import { serveSftp } from '../../src/targets/container/sftp/sftp-server.ts';

const files = createNodeFiles(process.cwd());
await serveSftp(process.stdin, process.stdout, files, new AbortController().signal);
