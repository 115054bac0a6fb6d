// The benchmarks of astd_bench in Go: go_bench THREADS BENCH [ARGS]
//
// A goroutine has no handle: its result comes through a channel, as is usual, or by a WaitGroup where there are many.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}

func argument(index, otherwise int) int {
	if len(os.Args) > 3+index {
		return number(os.Args[3+index])
	}
	return otherwise
}

func setting(name string, otherwise int) int {
	if text := os.Getenv(name); text != "" {
		return number(text)
	}
	return otherwise
}

func cpuTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func residentBytes() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	return number(strings.Fields(string(text))[1]) * os.Getpagesize()
}

func check(holds bool, what string) {
	if !holds {
		panic("wrong result: " + what)
	}
}

// Does the work as often as a repetition lasts, and reports each repetition.
func measure(name string, operations int, work func()) {
	shortest := time.Duration(setting("BENCH_MS", 0)) * time.Millisecond
	for turn := setting("BENCH_REPETITIONS", 3); turn > 0; turn-- {
		cpu, start, times := cpuTime(), time.Now(), 0
		for times == 0 || time.Since(start) < shortest {
			work()
			times++
		}
		wall, count := time.Since(start), float64(operations*times)
		fmt.Printf("RES %s %.2f %.2f %d\n", name, float64(wall.Nanoseconds())/count, float64(cpuTime()-cpu)/count,
			operations*times)
	}
}

func spawn(name string, count, times int) {
	measure(name, count*times, func() {
		for time := 0; time < times; time++ {
			results := make([]int, count)
			var ended sync.WaitGroup
			ended.Add(count)
			for i := 0; i < count; i++ {
				i := i
				go func() { results[i] = i; ended.Done() }()
			}
			ended.Wait()
			sum := 0
			for _, value := range results {
				sum += value
			}
			check(sum == count*(count-1)/2, name)
		}
	})
}

func spawnOneByOne(count int) {
	measure("spawn_seq", count, func() {
		for i := 0; i < count; i++ {
			i, result := i, make(chan int, 1)
			go func() { result <- i }()
			check(<-result == i, "spawn_seq")
		}
	})
}

func yield(tasks, times int) {
	measure("yield", tasks*times, func() {
		var ended sync.WaitGroup
		ended.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				for j := 0; j < times; j++ {
					runtime.Gosched()
				}
				ended.Done()
			}()
		}
		ended.Wait()
	})
}

func takeTurns(mine, others chan struct{}, times int, ended *sync.WaitGroup) {
	for i := 0; i < times; i++ {
		<-mine
		others <- struct{}{}
	}
	ended.Done()
}

func pingPong(count int) {
	measure("pingpong", count, func() {
		first, second := make(chan struct{}, 1), make(chan struct{}, 1)
		var ended sync.WaitGroup
		ended.Add(2)
		go takeTurns(first, second, count, &ended)
		go takeTurns(second, first, count, &ended)
		first <- struct{}{}
		ended.Wait()
	})
}

func plainFib(n int) int {
	if n < 2 {
		return n
	}
	return plainFib(n-1) + plainFib(n-2)
}

func fibCalls(n int) int {
	if n < 2 {
		return 1
	}
	return 1 + fibCalls(n-1) + fibCalls(n-2)
}

func fibOf(n int) int {
	if n < 2 {
		return n
	}
	left := make(chan int, 1)
	go func() { left <- fibOf(n - 1) }()
	right := fibOf(n - 2)
	return <-left + right
}

func fib(n int) {
	expected := plainFib(n)
	measure("fib", fibCalls(n), func() { check(fibOf(n) == expected, "fib") })
}

// Sums the numbers of its leaves: size of them, counted from first.
func skynetOf(first, size int) int {
	if size == 1 {
		return first
	}
	results, part := make(chan int, 10), size/10
	for i := 0; i < 10; i++ {
		begin := first + i*part
		go func() { results <- skynetOf(begin, part) }()
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-results
	}
	return sum
}

const (
	queensSize = 10
	queensFull = 1<<queensSize - 1
)

// Solutions of the rest of a board; each bit is a column or diagonal that is taken.
func queensOf(columns, left, right uint32) int {
	if columns == queensFull {
		return 1
	}
	results, children := make(chan int, queensSize), 0
	for free := queensFull &^ (columns | left | right); free != 0; free &= free - 1 {
		queen := free & -free
		children++
		go func() { results <- queensOf(columns|queen, (left|queen)<<1, (right|queen)>>1) }()
	}
	solutions := 0
	for ; children > 0; children-- {
		solutions += <-results
	}
	return solutions
}

func lock(count int) {
	var mutex sync.Mutex
	value := 0
	measure("lock", count, func() {
		for i := 0; i < count; i++ {
			mutex.Lock()
			value++
			mutex.Unlock()
		}
	})
}

func lockByFour(name string, count int, yields bool) {
	var mutex sync.Mutex
	sum := 0
	measure(name, 4*count, func() {
		var group sync.WaitGroup
		group.Add(4)
		for i := 0; i < 4; i++ {
			go func() {
				for n := 0; n < count; n++ {
					mutex.Lock()
					sum++
					if yields {
						runtime.Gosched()
					}
					mutex.Unlock()
				}
				group.Done()
			}()
		}
		group.Wait()
	})
}

func channelPingPong(count int) {
	measure("channel", count, func() {
		there, back := make(chan int, 1), make(chan int, 1)
		go func() {
			for ball := range there {
				back <- ball
			}
		}()
		for i := 0; i < count; i++ {
			there <- i
			check(<-back == i, "channel")
		}
		close(there)
	})
}

// Without a limit is one that is not reached.
func mpsc(name string, capacity, producers, count int) {
	measure(name, producers*count, func() {
		messages := make(chan int, capacity)
		for i := 0; i < producers; i++ {
			go func() {
				for n := 0; n < count; n++ {
					messages <- n
				}
			}()
		}
		sum := 0
		for i := 0; i < producers*count; i++ {
			sum += <-messages
		}
		check(sum == producers*(count*(count-1)/2), name)
	})
}

func mpmc(tasks, count int) {
	measure("mpmc", tasks*count, func() {
		messages, sums := make(chan int, 1024), make(chan int, tasks)
		var senders sync.WaitGroup
		senders.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				for n := 0; n < count; n++ {
					messages <- n
				}
				senders.Done()
			}()
			go func() {
				sum := 0
				for message := range messages {
					sum += message
				}
				sums <- sum
			}()
		}
		senders.Wait()
		close(messages)
		total := 0
		for i := 0; i < tasks; i++ {
			total += <-sums
		}
		check(total == tasks*(count*(count-1)/2), "mpmc")
	})
}

func timers(count int) {
	measure("timers", count, func() {
		live := make([]*time.Timer, count)
		for i := range live {
			live[i] = time.AfterFunc(time.Duration(10000+i%50000)*time.Millisecond, func() {})
		}
		for _, timer := range live {
			timer.Stop()
		}
	})
}

func sleeps(count int) {
	os.Setenv("BENCH_REPETITIONS", "1")
	measure("sleeps", count, func() {
		state := uint64(0x2545f4914f6cdd1d)
		var ended sync.WaitGroup
		ended.Add(count)
		for i := 0; i < count; i++ {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			delay := time.Duration(1+state%1000) * time.Millisecond
			go func() { time.Sleep(delay); ended.Done() }()
		}
		ended.Wait()
	})
}

func memory(count int) {
	before := residentBytes()
	var started int64
	for i := 0; i < count; i++ {
		go func() { atomic.AddInt64(&started, 1); time.Sleep(time.Hour) }()
	}
	for atomic.LoadInt64(&started) < int64(count) {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("MEM mem %.1f %d\n", float64(residentBytes()-before)/float64(count), count)
}

func answer(stream net.Conn) { // net.Conn has TCP_NODELAY from the start
	defer stream.Close()
	buffer := make([]byte, 16*1024)
	for {
		count, err := stream.Read(buffer)
		if err != nil {
			return
		}
		if _, err = stream.Write(buffer[:count]); err != nil {
			return
		}
	}
}

func echo(port int) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		panic(err)
	}
	for {
		stream, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go answer(stream)
	}
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintf(os.Stderr, "usage: %s THREADS BENCH [ARGS]\n", os.Args[0])
		os.Exit(2)
	}
	runtime.GOMAXPROCS(number(os.Args[1]))
	switch name := os.Args[2]; name {
	case "spawn":
		spawn(name, argument(0, 1000000), 1)
	case "spawn_10k":
		spawn(name, 10000, argument(0, 100))
	case "spawn_seq":
		spawnOneByOne(argument(0, 1000000))
	case "yield":
		yield(argument(0, 1000), argument(1, 1000))
	case "pingpong":
		pingPong(argument(0, 1000000))
	case "fib":
		fib(argument(0, 27))
	case "skynet":
		measure(name, 1111111, func() { check(skynetOf(0, 1000000) == 499999500000, name) })
	case "queens":
		measure(name, 35539, func() { check(queensOf(0, 0, 0) == 724, name) })
	case "lock":
		lock(argument(0, 5000000))
	case "rwlock":
		rwlock(argument(0, 250000))
	case "semaphore":
		semaphore(argument(0, 50000))
	case "broadcast":
		broadcast(argument(0, 1000))
	case "request":
		requests(argument(0, 200000))
	case "lock_shared":
		lockByFour("lock_shared", argument(0, 250000), false)
	case "channel":
		channelPingPong(argument(0, 500000))
	case "mpsc":
		mpsc("mpsc", 1024, argument(0, 4), argument(1, 500000))
	case "mpsc_unbounded":
		mpsc("mpsc_unbounded", argument(0, 4)*argument(1, 500000), argument(0, 4), argument(1, 500000))
	case "mpmc":
		mpmc(argument(0, 4), argument(1, 500000))
	case "lock_held":
		lockByFour("lock_held", argument(0, 100000), true)
	case "timers":
		timers(argument(0, 500000))
	case "sleeps":
		sleeps(argument(0, 100000))
	case "mem":
		memory(argument(0, 200000))
	case "echo":
		echo(argument(0, 20000))
	default:
		fmt.Fprintf(os.Stderr, "no such benchmark: %s\n", name)
		os.Exit(2)
	}
}
