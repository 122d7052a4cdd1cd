# Drives net-ssh, with net-sftp for files; the arguments are those of driver.ts.
require 'net/ssh'
require 'net/sftp'

GIVEN = ARGV.to_h { |argument| argument.split('=', 2) }
ENVIRONMENT = GIVEN.select { |name, _| name.start_with?('env.') }.transform_keys { |name| name.delete_prefix('env.') }

options = {
  port: GIVEN['port'].to_i,
  keys: [GIVEN['key']],
  keys_only: true,
  config: false,
  use_agent: false,
  non_interactive: true,
  user_known_hosts_file: GIVEN['knownHosts'],
  verify_host_key: :always
}
if GIVEN['keepalive']
  options[:keepalive] = true
  options[:keepalive_interval] = GIVEN['keepalive'].to_i
end
options[:rekey_limit] = GIVEN['rekey'].to_i if GIVEN['rekey']

def run(connection)
  status = 255
  connection.open_channel do |channel|
    channel.request_pty if GIVEN['pty']
    ENVIRONMENT.each { |name, value| channel.env(name, value) }
    channel.exec(GIVEN['exec']) do |started, accepted|
      raise 'exec was refused' unless accepted

      started.on_data { |_, data| $stdout.write(data) }
      started.on_extended_data { |_, _, data| $stderr.write(data) }
      started.on_request('exit-status') { |_, data| status = data.read_long }
      started.send_data($stdin.read) unless GIVEN['pty']
      started.eof!
    end
  end
  connection.loop
  status
end

def forward(connection)
  destination = [:string, 'localhost', :long, GIVEN['forward'].to_i, :string, '127.0.0.1', :long, 1]
  connection.open_channel('direct-tcpip', *destination) do |channel|
    channel.on_data { |_, data| $stdout.write(data) }
    channel.send_data($stdin.read)
    channel.eof!
  end
  connection.loop
  0
end

$stdin.binmode
$stdout.binmode
status = Net::SSH.start('127.0.0.1', GIVEN['login'], options) do |connection|
  if GIVEN['exec']
    run(connection)
  elsif GIVEN['forward']
    forward(connection)
  else
    files = Net::SFTP::Session.new(connection)
    files.connect!
    GIVEN['put'] ? files.upload!(GIVEN['put'], GIVEN['remote']) : files.download!(GIVEN['get'], GIVEN['local'])
    0
  end
end
exit status
