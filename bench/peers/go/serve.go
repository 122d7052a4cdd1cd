package main

import (
	"flag"
	"io"
	"net"
	"os"
	"os/exec"

	gliderlabs "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"
)

// An SSH server as people write it with gliderlabs/ssh: public keys, commands by sh, ssh -L.
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	hostKey := flags.String("host-key", "", "private key file")
	authorizedKeys := flags.String("authorized-keys", "", "file of keys that are let in")
	flags.Parse(args)

	known, err := readAuthorizedKeys(*authorizedKeys)
	if err != nil {
		return err
	}
	server := &gliderlabs.Server{
		Handler: runCommand,
		PublicKeyHandler: func(_ gliderlabs.Context, key gliderlabs.PublicKey) bool {
			return known[string(key.Marshal())]
		},
		LocalPortForwardingCallback: func(gliderlabs.Context, string, uint32) bool { return true },
		ChannelHandlers: map[string]gliderlabs.ChannelHandler{
			"session":      gliderlabs.DefaultSessionHandler,
			"direct-tcpip": gliderlabs.DirectTCPIPHandler,
		},
	}
	if err := server.SetOption(gliderlabs.HostKeyFile(*hostKey)); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	tell(listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

func readAuthorizedKeys(file string) (map[string]bool, error) {
	rest, err := os.ReadFile(file)
	known := map[string]bool{}
	for err == nil && len(rest) > 0 {
		var key ssh.PublicKey
		if key, _, _, rest, err = ssh.ParseAuthorizedKey(rest); err == nil {
			known[string(key.Marshal())] = true
		}
	}
	return known, err
}

func runCommand(session gliderlabs.Session) {
	command := exec.Command("/bin/sh", "-c", session.RawCommand())
	command.Stdout, command.Stderr = session, session.Stderr()
	stdin, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		session.Exit(255)
		return
	}
	go func() {
		io.Copy(stdin, session)
		stdin.Close()
	}()
	command.Wait()
	session.Exit(command.ProcessState.ExitCode())
}
