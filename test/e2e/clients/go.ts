import { join } from 'node:path';
import { cacheFolder } from '../../support/setup/cache-folder.ts';
import { compiled } from './compiled.ts';
import { besideDrivers, drivenBy, printed } from './driver.ts';

const source = besideDrivers('go_client.go');

export const go = drivenBy({
  name: 'Go x/crypto, pkg/sftp',
  version: async () => {
    const format = ['-f', `\${Version}`, '-W', 'golang-golang-x-crypto-dev'];
    return (await printed('dpkg-query', ...format)).replace(/^\d+:|-.*$/g, '');
  },
  command: async () => [
    join(
      await compiled({
        name: 'go-client',
        sources: [source],
        command: (output) => ['go', 'build', '-o', join(output, 'client'), source],
        // Debian's packages of Go sources, and no module proxy.
        env: { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(cacheFolder(), 'go-build') },
      }),
      'client',
    ),
  ],
});
