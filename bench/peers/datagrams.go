// bench/datagrams in Go, which sends and receives one at a time.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

const size, batch = 1000, 32

func setting(name string, otherwise int) int {
	if v, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return v
	}
	return otherwise
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func cpu() float64 {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func main() {
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(err)
	from, err := net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
	must(err)
	data, buffer := make([]byte, size), make([]byte, 2048)
	least := time.Duration(setting("BENCH_MS", 0)) * time.Millisecond
	for turn := setting("BENCH_REPETITIONS", 3); turn > 0; turn-- {
		began, used, count := time.Now(), cpu(), 0
		for {
			for i := 0; i < 100; i++ {
				for j := 0; j < batch; j++ {
					_, err := from.Write(data)
					must(err)
				}
				for j := 0; j < batch; j++ {
					_, _, err := to.ReadFromUDPAddrPort(buffer)
					must(err)
				}
			}
			count += 100 * batch
			if time.Since(began) >= least {
				break
			}
		}
		n := float64(count)
		fmt.Printf("RES one %.1f %.1f %d\n", float64(time.Since(began).Nanoseconds())/n, (cpu()-used)/n, count)
	}
}
