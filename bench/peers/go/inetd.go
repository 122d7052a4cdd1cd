package main

import (
	"flag"
	"net"
	"os"
	"os/exec"
)

// Starts a program for each connection, which is its stdin and stdout: for servers that do not listen themselves.
func inetd(args []string) error {
	flags := flag.NewFlagSet("inetd", flag.ExitOnError)
	flags.Parse(args)
	return listen("127.0.0.1:0", func(socket *net.TCPConn) error {
		file, err := socket.File()
		socket.Close()
		if err != nil {
			return err
		}
		defer file.Close()
		program := exec.Command(flags.Arg(0), flags.Args()[1:]...)
		program.Stdin, program.Stdout, program.Stderr = file, file, os.Stderr
		if err := program.Start(); err != nil {
			return err
		}
		go program.Wait()
		return nil
	})
}
