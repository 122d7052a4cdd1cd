package main

import (
	"flag"
	"fmt"
	"net"
	"time"
)

// A TCP proxy that holds back every byte for some time each way. It takes what comes at once, up to 64 MiB in flight, so
// what limits a stream is the window of what it carries, not TCP's.
func delay(args []string) error {
	flags := flag.NewFlagSet("delay", flag.ExitOnError)
	host := flags.String("host", "127.0.0.1", "where to")
	port := flags.Int("port", 0, "where to")
	ms := flags.Int("ms", 50, "each way")
	flags.Parse(args)
	wait := time.Duration(*ms) * time.Millisecond
	return listen("127.0.0.1:0", func(near *net.TCPConn) error {
		far, err := net.Dial("tcp", fmt.Sprintf("%s:%d", *host, *port))
		if err != nil {
			near.Close()
			return nil
		}
		go carry(near, far.(*net.TCPConn), wait)
		go carry(far.(*net.TCPConn), near, wait)
		return nil
	})
}

type part struct {
	bytes []byte
	due   time.Time
}

const partBytes = 64 << 10
const maxParts = 1024

func carry(from, to *net.TCPConn, wait time.Duration) {
	parts := make(chan part, maxParts)
	go func() {
		defer close(parts)
		for {
			bytes := make([]byte, partBytes)
			count, err := from.Read(bytes)
			if err != nil {
				parts <- part{nil, time.Now().Add(wait)}
				return
			}
			parts <- part{bytes[:count], time.Now().Add(wait)}
		}
	}()
	for next := range parts {
		time.Sleep(time.Until(next.due))
		if next.bytes == nil {
			to.CloseWrite()
		} else if _, err := to.Write(next.bytes); err != nil {
			from.Close()
		}
	}
}
