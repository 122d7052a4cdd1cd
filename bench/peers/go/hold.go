package main

import (
	"bufio"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

type holding struct {
	Held int `json:"held"`
	// Closed by the other side so far.
	Lost     int64    `json:"lost"`
	Failures []string `json:"failures"`
}

// Holds as many connections, idle, as the last line of stdin said, tells so, and lets go of all when stdin ends.
func hold(args []string) error {
	flags, parse := targetFlags("hold")
	parallel := flags.Int("parallel", 8, "logins at once")
	to, err := parse(args)
	if err != nil {
		return err
	}
	var lost int64
	held := 0
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		wanted, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		failures := holdMore(to, wanted-held, *parallel, &lost)
		held += wanted - held - len(failures)
		tell(holding{held, atomic.LoadInt64(&lost), failures})
	}
	return nil
}

func holdMore(to *target, count int, parallel int, lost *int64) []string {
	failures := []string{}
	var lock sync.Mutex
	var all sync.WaitGroup
	orders := make(chan struct{})
	for n := 0; n < parallel; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for range orders {
				conn, err := to.logIn()
				if err != nil {
					lock.Lock()
					failures = append(failures, err.Error())
					lock.Unlock()
					continue
				}
				go stay(conn, lost)
			}
		}()
	}
	for ; count > 0; count-- {
		orders <- struct{}{}
	}
	close(orders)
	all.Wait()
	return failures
}

// Answers keepalives, as every client does, by a refusal.
func stay(conn *connection, lost *int64) {
	go ssh.DiscardRequests(conn.requests)
	for channel := range conn.channels {
		channel.Reject(ssh.Prohibited, "")
	}
	atomic.AddInt64(lost, 1)
}
