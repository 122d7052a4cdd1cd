import { besideDrivers, drivenBy, printed } from './driver.ts';

export const netSsh = drivenBy({
  name: 'Ruby net-ssh, net-sftp',
  version: () => printed('ruby', '-e', 'require "net/ssh"; puts Net::SSH::Version::STRING'),
  command: async () => ['ruby', besideDrivers('net_ssh_client.rb')],
});
