/** The JSch that is kept up (com.github.mwiede), of the next Debian: the 0.1.5x of this one knows SHA-1 only. */
import { realpath } from 'node:fs/promises';
import { newer } from '../../support/setup/newer-packages.ts';
import { compiled } from './compiled.ts';
import { besideDrivers, drivenBy } from './driver.ts';

const source = besideDrivers('JschClient.java');

async function command(): Promise<string[]> {
  const classes = await compiled({
    name: 'jsch-client',
    sources: [source],
    command: (output) => ['javac', '-cp', newer.jsch, '-d', output, source],
  });
  // Half of what a short-lived Java program takes is its compiler's time.
  return [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    `${newer.jsch}:/usr/share/java/bcprov.jar:${classes}`,
    'JschClient',
  ];
}

export const jsch = drivenBy({
  name: 'JSch',
  version: async () => /jsch-(\S+)\.jar$/.exec(await realpath(newer.jsch))?.[1] ?? '',
  command,
});
