// The benchmark's Go side, one program: an SSH server to measure beside (serve), the clients that measure all servers alike
// (logins, execs, hold, pour with its pourer), a long way to somewhere (delay), and what starts a server for each connection (inetd).
// Go, because a client must cost less than the server that it measures. Built without modules from Debian's packages.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
)

func main() {
	log.SetFlags(0)
	commands := map[string]func([]string) error{
		"serve": serve, "inetd": inetd, "pourer": pourer, "delay": delay,
		"logins": logins, "execs": execs, "hold": hold, "pour": pour,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		log.Fatal("one of serve, inetd, pourer, delay, logins, execs, hold, pour")
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

// One line for whoever started us: an address, or what was measured.
func tell(value interface{}) {
	line, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

// Listens there, tells on which port, and gives each connection away, until one cannot be taken.
func listen(address string, each func(*net.TCPConn) error) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	tell(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := each(conn.(*net.TCPConn)); err != nil {
			return err
		}
	}
}
