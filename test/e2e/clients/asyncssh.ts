import { besideDrivers, drivenBy, printed } from './driver.ts';

const python = '/usr/bin/python3';

export const asyncssh = drivenBy({
  name: 'asyncssh',
  version: () => printed(python, '-W', 'ignore', '-c', 'import asyncssh; print(asyncssh.__version__)'),
  command: async () => [python, '-W', 'ignore', besideDrivers('asyncssh_client.py')],
});
