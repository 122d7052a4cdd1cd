package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// Where to, and as whom. A login is what OpenSSH does: key exchange by curve25519, the host key's signature checked, then
// none, the key offered, the key signed.
type target struct {
	address string
	config  ssh.ClientConfig
}

// The flags that all clients have; the target is there once they are parsed.
func targetFlags(name string) (*flag.FlagSet, func([]string) (*target, error)) {
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	port := flags.Int("port", 0, "on 127.0.0.1")
	host := flags.String("host", "127.0.0.1", "address")
	user := flags.String("user", "root", "login name")
	keyFile := flags.String("key", "", "private key file")
	return flags, func(args []string) (*target, error) {
		flags.Parse(args)
		text, err := os.ReadFile(*keyFile)
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, err
		}
		return &target{
			address: fmt.Sprintf("%s:%d", *host, *port),
			config: ssh.ClientConfig{
				Config:            ssh.Config{KeyExchanges: []string{"curve25519-sha256", "curve25519-sha256@libssh.org"}},
				User:              *user,
				Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
				HostKeyAlgorithms: []string{"ssh-ed25519"},
				HostKeyCallback:   ssh.InsecureIgnoreHostKey(),
			},
		}, nil
	}
}

type connection struct {
	ssh.Conn
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
}

const loginDeadline = 2 * time.Minute

// Connects and logs in; what the server asks is refused, as keepalives are.
func (to *target) logIn() (*connection, error) {
	socket, err := net.DialTimeout("tcp", to.address, loginDeadline)
	if err != nil {
		return nil, err
	}
	socket.SetDeadline(time.Now().Add(loginDeadline))
	config := to.config
	conn, channels, requests, err := ssh.NewClientConn(socket, to.address, &config)
	if err != nil {
		socket.Close()
		return nil, err
	}
	socket.SetDeadline(time.Time{})
	return &connection{conn, channels, requests}, nil
}

func milliseconds(duration time.Duration) float64 { return float64(duration.Microseconds()) / 1000 }
