// Drives Go's x/crypto/ssh, with pkg/sftp for files; the arguments are those of driver.ts.
package main

import (
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

var given = map[string]string{}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func connect() *ssh.Client {
	pem, err := os.ReadFile(given["key"])
	must(err)
	signer, err := ssh.ParsePrivateKey(pem)
	must(err)
	hostKeys, err := knownhosts.New(given["knownHosts"])
	must(err)
	config := &ssh.ClientConfig{
		User:            given["login"],
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: hostKeys,
	}
	// It would take the RSA key otherwise: it does not look into known_hosts before it chooses.
	config.HostKeyAlgorithms = []string{ssh.KeyAlgoED25519}
	if bytes, err := strconv.ParseUint(given["rekey"], 10, 64); err == nil {
		config.RekeyThreshold = bytes
	}
	client, err := ssh.Dial("tcp", "127.0.0.1:"+given["port"], config)
	must(err)
	if seconds, err := strconv.Atoi(given["keepalive"]); err == nil {
		go func() {
			for range time.Tick(time.Duration(seconds) * time.Second) {
				client.SendRequest("keepalive@golang.org", true, nil)
			}
		}()
	}
	return client
}

func run(client *ssh.Client) int {
	session, err := client.NewSession()
	must(err)
	for name, value := range given {
		if strings.HasPrefix(name, "env.") {
			must(session.Setenv(name[len("env."):], value))
		}
	}
	if given["pty"] != "" {
		must(session.RequestPty("xterm", 24, 80, ssh.TerminalModes{}))
	}
	session.Stdin, session.Stdout, session.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = session.Run(given["exec"])
	if exit, ok := err.(*ssh.ExitError); ok {
		return exit.ExitStatus()
	}
	must(err)
	return 0
}

func transfer(client *ssh.Client) {
	files, err := sftp.NewClient(client)
	must(err)
	defer files.Close()
	if given["put"] != "" {
		local, err := os.Open(given["put"])
		must(err)
		remote, err := files.Create(given["remote"])
		must(err)
		_, err = io.Copy(remote, local)
		must(err)
		must(remote.Close())
		return
	}
	remote, err := files.Open(given["get"])
	must(err)
	local, err := os.Create(given["local"])
	must(err)
	_, err = io.Copy(local, remote)
	must(err)
	must(local.Close())
}

func forward(client *ssh.Client) {
	connection, err := client.Dial("tcp", "localhost:"+given["forward"])
	must(err)
	go func() {
		io.Copy(connection, os.Stdin)
		connection.(interface{ CloseWrite() error }).CloseWrite()
	}()
	_, err = io.Copy(os.Stdout, connection)
	must(err)
}

func main() {
	for _, argument := range os.Args[1:] {
		name, value, _ := strings.Cut(argument, "=")
		given[name] = value
	}
	client := connect()
	status := 0
	if given["exec"] != "" {
		status = run(client)
	} else if given["forward"] != "" {
		forward(client)
	} else {
		transfer(client)
	}
	client.Close()
	os.Exit(status)
}
