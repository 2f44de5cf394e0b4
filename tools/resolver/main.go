// Command resolver prints what Go's own resolver answers for a name. It is built without cgo, so that no C library answers
// in its place. The output is that of the test workload: one answer in each line, and exit code 3 if there is no such name.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

const noSuchName = 3

func main() {
	if len(os.Args) == 2 && os.Args[1] == "sleep" {
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		<-ended
		return
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: resolver address|srv NAME, or resolver sleep")
		os.Exit(2)
	}
	kind, name := os.Args[1], os.Args[2]
	answers, err := lookup(kind, name)
	var failure *net.DNSError
	switch {
	case errors.As(err, &failure) && failure.IsNotFound:
		fmt.Fprintf(os.Stderr, "%s: no such name\n", name)
		os.Exit(noSuchName)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	slices.Sort(answers)
	for _, answer := range answers {
		fmt.Println(answer)
	}
}

func lookup(kind, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var answers []string
	switch kind {
	case "address":
		addresses, err := net.DefaultResolver.LookupHost(ctx, name)
		return addresses, err
	case "srv":
		// Without service and protocol the name is looked up as it is given.
		_, records, err := net.DefaultResolver.LookupSRV(ctx, "", "", name)
		for _, record := range records {
			answers = append(answers, fmt.Sprintf("%d %s", record.Port, record.Target))
		}
		return answers, err
	default:
		return nil, fmt.Errorf("%s is neither address nor srv", kind)
	}
}
