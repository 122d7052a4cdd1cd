package main

import (
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Runs a command again and again, so many at once, each over a connection of its own that stays open; -fresh opens one
// for each command and counts the login with it.
func execs(args []string) error {
	flags, parse := targetFlags("execs")
	command := flags.String("command", "true", "what to run")
	parallel := flags.Int("parallel", 1, "connections")
	count := flags.Int("count", 10, "commands of each connection")
	fresh := flags.Bool("fresh", false, "a connection for each command")
	to, err := parse(args)
	if err != nil {
		return err
	}
	result := measured{TimesMs: []float64{}, Failures: []string{}}
	var lock sync.Mutex
	note := func(took time.Duration, err error) {
		lock.Lock()
		defer lock.Unlock()
		if err != nil {
			result.Failures = append(result.Failures, err.Error())
		} else {
			result.TimesMs = append(result.TimesMs, milliseconds(took))
		}
	}
	var ready, all sync.WaitGroup
	begin := make(chan struct{})
	for n := 0; n < *parallel; n++ {
		ready.Add(1)
		all.Add(1)
		go func() {
			defer all.Done()
			var client *ssh.Client
			var err error
			if !*fresh {
				client, err = open(to)
			}
			ready.Done()
			<-begin
			for left := *count; left > 0 && err == nil; left-- {
				started := time.Now()
				if *fresh {
					client, err = open(to)
				}
				if err == nil {
					err = run(client, *command)
				}
				note(time.Since(started), err)
				if *fresh && client != nil {
					client.Close()
				}
			}
			if err != nil && client == nil {
				note(0, err)
			}
		}()
	}
	ready.Wait()
	begun := time.Now()
	close(begin)
	all.Wait()
	result.ElapsedMs = milliseconds(time.Since(begun))
	tell(result)
	return nil
}

func open(to *target) (*ssh.Client, error) {
	conn, err := to.logIn()
	if err != nil {
		return nil, err
	}
	return ssh.NewClient(conn, conn.channels, conn.requests), nil
}

func run(client *ssh.Client, command string) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdout, session.Stderr = io.Discard, io.Discard
	return session.Run(command)
}
