// io.Copy in Go, which splices between TCP connections and sends files by sendfile.
//
//	copy proxy SINK_PORT
//	copy file PATH TIMES SINK_PORT
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	sink := "127.0.0.1:" + os.Args[len(os.Args)-1]
	if os.Args[1] == "file" {
		to, err := net.Dial("tcp", sink)
		must(err)
		times, err := strconv.Atoi(os.Args[3])
		must(err)
		for i := 0; i < times; i++ {
			from, err := os.Open(os.Args[2])
			must(err)
			_, err = io.Copy(to, from)
			must(err)
			from.Close()
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	a, err := listener.Accept()
	must(err)
	b, err := net.Dial("tcp", sink)
	must(err)
	done := make(chan bool)
	go func() {
		io.Copy(b, a)
		b.(*net.TCPConn).CloseWrite()
		done <- true
	}()
	go func() {
		io.Copy(a, b)
		a.(*net.TCPConn).CloseWrite()
		done <- true
	}()
	<-done
	<-done
}
