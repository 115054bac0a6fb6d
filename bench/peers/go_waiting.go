package main

// What goroutines wait in for each other, beside channels: see ../waiting_bench.cpp for what each does.

import (
	"runtime"
	"sync"
)

const readsForAWrite, broadcastMessages = 100, 100

func together(count int, body func()) {
	var group sync.WaitGroup
	group.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			body()
			group.Done()
		}()
	}
	group.Wait()
}

func rwlock(count int) {
	var lock sync.RWMutex
	sum := 0
	measure("rwlock", 4*count, func() {
		together(4, func() {
			for i := 0; i < count; i++ {
				if i%readsForAWrite == 0 {
					lock.Lock()
					sum++
					lock.Unlock()
				} else {
					lock.RLock()
					check(sum >= 0, "rwlock")
					lock.RUnlock()
				}
			}
		})
	})
}

// As Go programs do it: a channel with room for as many as there are permits.
func semaphore(count int) {
	permits := make(chan struct{}, 4)
	measure("semaphore", 8*count, func() {
		together(8, func() {
			for i := 0; i < count; i++ {
				permits <- struct{}{}
				runtime.Gosched()
				<-permits
			}
		})
	})
}

// A channel for each receiver: Go has none that all of them could read.
func broadcast(receivers int) {
	measure("broadcast", receivers*broadcastMessages, func() {
		channels := make([]chan int, receivers)
		for i := range channels {
			channels[i] = make(chan int, broadcastMessages)
		}
		var group sync.WaitGroup
		group.Add(receivers)
		for _, channel := range channels {
			go func(channel chan int) {
				sum := 0
				for i := 0; i < broadcastMessages; i++ {
					sum += <-channel
				}
				check(sum == broadcastMessages*(broadcastMessages-1)/2, "broadcast")
				group.Done()
			}(channel)
		}
		for i := 0; i < broadcastMessages; i++ {
			for _, channel := range channels {
				channel <- i
			}
			runtime.Gosched()
		}
		group.Wait()
	})
}

type request struct {
	value int
	reply chan int
}

func requests(count int) {
	server := make(chan request, 64)
	go func() {
		for one := range server {
			one.reply <- one.value + 1
		}
	}()
	measure("request", count, func() {
		for i := 0; i < count; i++ {
			reply := make(chan int, 1)
			server <- request{i, reply}
			check(<-reply == i+1, "request")
		}
	})
	close(server)
}
