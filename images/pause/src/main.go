// Pause waits until it is told to stop. As process 1 of a pod it also collects orphans.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for signal := range heard {
		if signal != syscall.SIGCHLD {
			return
		}
		// One signal may stand for several children.
		for child := 1; child > 0; {
			child, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
}
