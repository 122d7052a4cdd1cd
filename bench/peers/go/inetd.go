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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	tell(listener.Addr().(*net.TCPAddr).Port)
	for {
		socket, err := listener.Accept()
		if err != nil {
			return err
		}
		file, err := socket.(*net.TCPConn).File()
		socket.Close()
		if err != nil {
			return err
		}
		program := exec.Command(flags.Arg(0), flags.Args()[1:]...)
		program.Stdin, program.Stdout, program.Stderr = file, file, os.Stderr
		if err := program.Start(); err != nil {
			return err
		}
		file.Close()
		go program.Wait()
	}
}
