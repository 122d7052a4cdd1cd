import { besideDrivers, drivenBy, printed } from './driver.ts';

const python = '/usr/bin/python3';

export const paramiko = drivenBy({
  name: 'paramiko',
  version: () => printed(python, '-c', 'import paramiko; print(paramiko.__version__)'),
  command: async () => [python, besideDrivers('paramiko_client.py')],
});
