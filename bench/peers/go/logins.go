package main

import (
	"sync"
	"time"
)

type measured struct {
	// From the first login's begin to the last one's end.
	ElapsedMs float64   `json:"elapsedMs"`
	TimesMs   []float64 `json:"timesMs"`
	Failures  []string  `json:"failures"`
}

// Logs in and leaves, again and again, so many at once, until the time is over; each that has begun is waited for.
func logins(args []string) error {
	flags, parse := targetFlags("logins")
	parallel := flags.Int("parallel", 1, "logins at once")
	seconds := flags.Float64("seconds", 1, "for how long logins begin")
	atLeast := flags.Int("at-least", 1, "by each, also when the time is over")
	everyMs := flags.Float64("every-ms", 0, "pause between the begins of each one's logins")
	to, err := parse(args)
	if err != nil {
		return err
	}
	result := measured{TimesMs: []float64{}, Failures: []string{}}
	var lock sync.Mutex
	var all sync.WaitGroup
	begun := time.Now()
	until := begun.Add(time.Duration(*seconds * float64(time.Second)))
	for n := 0; n < *parallel; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for count := 0; count < *atLeast || time.Now().Before(until); count++ {
				started := time.Now()
				conn, err := to.logIn()
				took := time.Since(started)
				lock.Lock()
				if err != nil {
					result.Failures = append(result.Failures, err.Error())
				} else {
					result.TimesMs = append(result.TimesMs, milliseconds(took))
				}
				lock.Unlock()
				if err == nil {
					conn.Close()
				}
				time.Sleep(time.Duration(*everyMs*float64(time.Millisecond)) - took)
			}
		}()
	}
	all.Wait()
	result.ElapsedMs = milliseconds(time.Since(begun))
	tell(result)
	return nil
}
