import { readFileSync } from 'node:fs';
import { besideDrivers, drivenBy } from './driver.ts';

export const russh = drivenBy({
  name: 'russh (npm)',
  version: async () => {
    const text = readFileSync(new URL('../../../node_modules/russh/package.json', import.meta.url), 'utf8');
    return (JSON.parse(text) as { version: string }).version.split('+')[0] as string;
  },
  limits: {
    exec: 'its binding tells no status',
    env: 'its binding sends none',
    rekey: 'its binding has no setting',
  },
  command: async () => [process.execPath, besideDrivers('russh-client.ts')],
});
