package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"time"
)

// What pours at the far end of a forward. It is told how many bytes are wanted ('d' and eight bytes) or will come ('u').
func pourer(args []string) error {
	flags := flag.NewFlagSet("pourer", flag.ExitOnError)
	address := flags.String("listen", "127.0.0.1:0", "address")
	flags.Parse(args)
	return listen(*address, func(conn *net.TCPConn) error {
		go answerOrder(conn)
		return nil
	})
}

func answerOrder(conn *net.TCPConn) {
	defer conn.Close()
	var order [9]byte
	if _, err := io.ReadFull(conn, order[:]); err != nil {
		return
	}
	count := int64(binary.BigEndian.Uint64(order[1:]))
	if order[0] == 'd' {
		io.CopyN(conn, zeros{}, count)
	} else if _, err := io.CopyN(io.Discard, conn, count); err == nil {
		conn.Write([]byte{1})
	}
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) { return len(into), nil }

// Has so many bytes poured through a local port, up or down, and tells how long it took from the order to the last byte.
func pour(args []string) error {
	flags := flag.NewFlagSet("pour", flag.ExitOnError)
	port := flags.Int("port", 0, "of 127.0.0.1")
	way := flags.String("way", "down", "up or down")
	bytes := flags.Int64("bytes", 1, "how many")
	flags.Parse(args)
	begun := time.Now()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	order := [9]byte{(*way)[0]}
	binary.BigEndian.PutUint64(order[1:], uint64(*bytes))
	if _, err := conn.Write(order[:]); err != nil {
		return err
	}
	wanted := *bytes
	if *way == "up" {
		if _, err := io.CopyN(conn, zeros{}, *bytes); err != nil {
			return err
		}
		wanted = 1
	}
	if count, err := io.Copy(io.Discard, conn); err != nil || count != wanted {
		return fmt.Errorf("%d of %d bytes came: %v", count, wanted, err)
	}
	tell(measured{ElapsedMs: milliseconds(time.Since(begun)), TimesMs: []float64{}, Failures: []string{}})
	return nil
}
