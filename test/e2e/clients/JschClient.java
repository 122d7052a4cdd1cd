import com.jcraft.jsch.ChannelDirectTCPIP;
import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.TreeMap;

/** Drives JSch; the arguments are those of driver.ts. */
public class JschClient {
  private static final Map<String, String> given = new TreeMap<>();

  public static void main(String[] arguments) throws Exception {
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      given.put(argument.substring(0, equals), argument.substring(equals + 1));
    }
    Session session = connect();
    int status = 0;
    if (given.containsKey("exec")) status = run(session);
    else if (given.containsKey("forward")) forward(session);
    else transfer(session);
    session.disconnect();
    System.exit(status);
  }

  private static Session connect() throws Exception {
    // Java's own are in the jar's part for newer Javas, which Debian's manifest does not enable.
    JSch.setConfig("ssh-ed25519", "com.jcraft.jsch.bc.SignatureEd25519");
    JSch.setConfig("xdh", "com.jcraft.jsch.bc.XDH");
    JSch jsch = new JSch();
    jsch.addIdentity(given.get("key"));
    jsch.setKnownHosts(given.get("knownHosts"));
    Session session = jsch.getSession(given.get("login"), "127.0.0.1", Integer.parseInt(given.get("port")));
    session.setConfig("StrictHostKeyChecking", "yes");
    session.connect(10_000);
    if (given.containsKey("keepalive")) {
      session.setServerAliveInterval(1000 * Integer.parseInt(given.get("keepalive")));
    }
    // It has no limit to set, but exchanges new keys when told to.
    if (given.containsKey("rekey")) session.rekey();
    return session;
  }

  private static int run(Session session) throws Exception {
    ChannelExec channel = (ChannelExec) session.openChannel("exec");
    channel.setCommand(given.get("exec"));
    channel.setPty(given.containsKey("pty"));
    given.forEach(
        (name, value) -> {
          if (name.startsWith("env.")) channel.setEnv(name.substring("env.".length()), value);
        });
    channel.setInputStream(System.in);
    channel.setOutputStream(System.out, true);
    channel.setErrStream(System.err, true);
    channel.connect(10_000);
    while (!channel.isClosed()) Thread.sleep(5);
    channel.disconnect();
    System.out.flush();
    return channel.getExitStatus();
  }

  /** Its end of data would be the end of the channel: as much as it sends is waited for before. */
  private static void forward(Session session) throws Exception {
    ChannelDirectTCPIP channel = (ChannelDirectTCPIP) session.openChannel("direct-tcpip");
    channel.setHost("localhost");
    channel.setPort(Integer.parseInt(given.get("forward")));
    InputStream answer = channel.getInputStream();
    OutputStream question = channel.getOutputStream();
    channel.connect(10_000);
    byte[] sent = System.in.readAllBytes();
    new Thread(
            () -> {
              try {
                question.write(sent);
                question.flush();
              } catch (IOException error) {
                error.printStackTrace();
              }
            })
        .start();
    System.out.write(answer.readNBytes(sent.length));
    System.out.flush();
    channel.disconnect();
  }

  private static void transfer(Session session) throws Exception {
    ChannelSftp files = (ChannelSftp) session.openChannel("sftp");
    files.connect(10_000);
    if (given.containsKey("put")) files.put(given.get("put"), given.get("remote"));
    else files.get(given.get("get"), given.get("local"));
    files.exit();
  }
}
